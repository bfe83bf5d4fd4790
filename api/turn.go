package api

import "github.com/creditd/creditd/fsm"

// costlyBytes is from what size on a body takes a turn before it is decoded. Pages and large answers take one as well. A turn is a share of the
// CPU: docs/contract.md 1.10.
const costlyBytes = 8 << 10

// takeTurn waits for a turn, unless the request has one.
func (c *call) takeTurn() (err error) {
	if c.endTurn == nil {
		c.endTurn, err = c.api.node.TakeTurn(c.ctx, c.actor)
		if err != nil {
			c.endTurn = nil
		}
	}
	return err
}

// pauseTurn ends the turn, if the request has one. It comes before each wait: for the ledger, or for the client.
func (c *call) pauseTurn() {
	if c.endTurn != nil {
		c.endTurn()
		c.endTurn = nil
	}
}

// breathBytes is how much of a body or of an answer is worked on in one turn: about half a millisecond. A process that computes for longer
// makes the others on its core wait for the end of its time slice.
const breathBytes = 128 << 10

// breathe ends the turn and takes another one, when enough was done since it began. at counts the bytes that are done.
func (c *call) breathe(at int) {
	if c.endTurn == nil || at < c.breathed+breathBytes {
		return
	}
	c.pauseTurn()
	c.breathed, c.turnless = at, c.takeTurn()
}

// answerCostly is answer for a page. It waits without a turn until this node is fresh enough, and then reads and shows the page with one.
func answerCostly[R fsm.Result](c *call, q fsm.Query) (R, error) {
	var none R
	index, err := c.consistency.minIndex, error(nil)
	switch {
	case !c.consistency.stale:
		_, index, err = c.api.node.Answer(c.ctx, c.actor, &fsm.Authorize{})
	case index > 0:
		_, _, err = c.api.node.AnswerStale(c.ctx, c.actor, &fsm.Authorize{}, index)
	}
	if err != nil {
		return none, err
	}
	if err := c.takeTurn(); err != nil {
		return none, err
	}
	r, index, err := c.api.node.AnswerStale(c.ctx, c.actor, q, index)
	return resultOf[R](c, r, index, err)
}

// takeTurnToAnswer takes a turn for an answer that is about to be large. What was executed is answered, also without one.
func (c *call) takeTurnToAnswer() {
	c.breathed = 0
	if c.answer.bytes > 0 {
		_ = c.takeTurn()
	}
}
