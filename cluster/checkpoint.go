package cluster

import "github.com/creditd/creditd/fsm"

// checkpoint is the digest of the ledger once everything up to an index was applied.
type checkpoint struct {
	Index  uint64 `json:"index"`
	Digest string `json:"digest"`
}

// keptCheckpoints is how many a node remembers: enough for the slowest follower that still counts as one.
const keptCheckpoints = 64

// checkpoints records the digest at every multiple of step, at the same indexes on every node.
type checkpoints struct {
	step    uint64
	from    uint64 // the ledger was restored as of this index; below it nothing is known
	last    uint64 // the multiple that was considered last
	digests []checkpoint
}

// before is called before the entry at index is applied. Not every index comes to the ledger, so what the ledger was at a multiple is
// known when the first entry beyond it comes.
func (c *checkpoints) before(index uint64, s *fsm.State) {
	at := (index - 1) / c.step * c.step
	if at <= c.last || at < c.from {
		return
	}
	c.last = at
	c.digests = append(c.digests, checkpoint{Index: at, Digest: s.Digest().String()})
	if len(c.digests) > keptCheckpoints {
		c.digests = append([]checkpoint(nil), c.digests[1:]...)
	}
}

// restart forgets everything: the ledger was replaced by one as of index.
func (c *checkpoints) restart(index uint64) {
	*c = checkpoints{step: c.step, from: index}
}
