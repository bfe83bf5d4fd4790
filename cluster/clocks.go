package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/clock"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
)

// clocks is what the nodes know of each other's time.
type clocks struct {
	guard *clock.Guard
	kick  chan struct{} // asks for a check now

	anyNoRoom atomic.Bool // a voter that answered the last check has no room

	mu      sync.Mutex
	changed chan struct{}          // guarded by mu: closed and replaced by every check
	peers   map[string]clockAnswer // guarded by mu: the voters that answered the last check, by id
}

// clockAnswer is what a node says of its time.
type clockAnswer struct {
	nodeID string
	time   int64 // Unix milliseconds
	wrong  byte  // reasons
	offset int64 // from the asking node's time, in milliseconds
}

// The reasons why a node should not lead.
const (
	clockWallOff byte = 1 << iota
	clockFar
	diskNoRoom
)

func newClocks(conf Config) *clocks {
	return &clocks{
		guard: clock.New(conf.Now, conf.Elapsed, conf.MaxClockSkew), kick: make(chan struct{}, 1), changed: make(chan struct{}),
	}
}

// await returns a channel that is closed by the next check.
func (c *clocks) await() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

func (c *clocks) checkNow() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// watchClock compares this node's time with its wall clock and with the other voters' time, and tells the log what is wrong.
func (n *Node) watchClock() {
	ticker := time.NewTicker(n.conf.ClockInterval)
	defer ticker.Stop()
	for {
		n.checkClock()
		select {
		case <-ticker.C:
		case <-n.clocks.kick:
		case <-n.stopping:
			return
		}
	}
}

func (n *Node) checkClock() {
	c := n.clocks
	before := c.guard.Verdict()
	answers := n.askClocks()
	offsets := make([]int64, 0, len(answers))
	anyNoRoom := false
	for _, a := range answers {
		offsets = append(offsets, a.offset)
		anyNoRoom = anyNoRoom || a.wrong&diskNoRoom != 0
	}
	c.anyNoRoom.Store(anyNoRoom)
	now := c.guard.Check(offsets)
	c.mu.Lock()
	c.peers = answers
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	switch {
	case now.WallOff && !before.WallOff:
		n.log.Error("the wall clock jumped or stands still: time goes on without it until it is set right, or peers or a restart confirm it",
			"off_by", now.Drift, "tolerance", n.conf.MaxClockSkew)
	case now.Far && !before.Far:
		n.log.Error("this node's time is far from its peers': it does not lead until its clock is set right",
			"peers_ahead_by", now.Offset, "tolerance", n.conf.MaxClockSkew)
	case now.Fit() && !before.Fit():
		n.log.Info("this node's time is right again", "drift", now.Drift, "peers_ahead_by", now.Offset)
	}
}

// askClocks asks the other voters for their time, all at once, and corrects the answers by half their way. What was under way for
// longer than the tolerance says nothing.
func (n *Node) askClocks() map[string]clockAnswer {
	ctx, cancel := context.WithTimeout(context.Background(), n.conf.MaxClockSkew)
	defer cancel()
	go func() {
		select {
		case <-n.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	var mu sync.Mutex
	var asked sync.WaitGroup
	answers := make(map[string]clockAnswer)
	for _, s := range n.servers() {
		if s.Suffrage != raft.Voter || string(s.ID) == n.id {
			continue
		}
		asked.Add(1)
		go func() {
			defer asked.Done()
			sent := n.clocks.guard.Now()
			data, err := n.pool.Get(n.addressOf(s.ID, s.Address)).Call(ctx, methodClock, nil)
			received := n.clocks.guard.Now()
			a, ok := decodeClock(data)
			if err != nil || !ok || a.nodeID != string(s.ID) || received-sent > n.conf.MaxClockSkew.Milliseconds() {
				n.log.Debug("a node did not tell its time", "member", s.ID, "err", err, "took_ms", received-sent)
				return
			}
			a.offset = a.time - sent - (received-sent)/2
			mu.Lock()
			defer mu.Unlock()
			answers[a.nodeID] = a
		}()
	}
	asked.Wait()
	return answers
}

// Clock returns what this node knows about its time.
func (n *Node) Clock() clock.Verdict { return n.clocks.guard.Verdict() }

func (n *Node) handleClock(reply peer.Reply) {
	data := append(binary.AppendVarint(nil, n.clocks.guard.Now()), n.wrong())
	reply(peer.CodeOK, append(data, n.id...))
}

// wrong returns the reasons why this node should not lead.
func (n *Node) wrong() (reasons byte) {
	v := n.clocks.guard.Verdict()
	if v.WallOff {
		reasons |= clockWallOff
	}
	if v.Far {
		reasons |= clockFar
	}
	if n.conf.Store.NoRoom() != nil {
		reasons |= diskNoRoom
	}
	return reasons
}

func decodeClock(data []byte) (a clockAnswer, ok bool) {
	now, size := binary.Varint(data)
	if size <= 0 || len(data) <= size {
		return a, false
	}
	return clockAnswer{nodeID: string(data[size+1:]), time: now, wrong: data[size]}, true
}

// mayStamp reports whether this node's time can go into the log. A node that was never told another's time does not know.
func (n *Node) mayStamp() bool {
	v := n.clocks.guard.Verdict()
	return !v.Far && (v.Verified || n.otherVoters() == 0)
}

// awaitClock waits until this node may stamp. Meanwhile it offers leadership to the others: raft has no way to decline it.
func (n *Node) awaitClock(ctx context.Context) bool {
	for {
		changed := n.clocks.await()
		if n.mayStamp() {
			return ctx.Err() == nil
		}
		if n.clocks.guard.Verdict().Verified {
			n.offerLeadership(ctx)
		} else {
			n.clocks.checkNow()
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// guardTerm ends a term's work by cancel once this node may not stamp, and hands leadership over when another node is better off.
func (n *Node) guardTerm(ctx context.Context, cancel func()) {
	for {
		changed := n.clocks.await()
		switch {
		case !n.mayStamp():
			cancel()
			return
		case n.wrong() != 0:
			n.offerLeadership(ctx)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// offerLeadership hands leadership to a voter that is better off than this node, if there is one. It is repeated with every check,
// so a failure is only logged.
func (n *Node) offerLeadership(ctx context.Context) {
	target := n.betterLeader()
	if target == "" {
		return
	}
	n.log.Warn("handing leadership over because of this node's clock or disk", "to", target)
	if err := n.transferHere(ctx, target); err != nil && ctx.Err() == nil && !errors.Is(err, errStopping) {
		n.log.Warn("leadership was not handed over", "to", target, "err", err)
	}
}

// betterLeader returns the voter that is preferred to this node as the leader, or "".
func (n *Node) betterLeader() (nodeID string) {
	own := n.wrong()
	n.clocks.mu.Lock()
	defer n.clocks.mu.Unlock()
	return better(own, n.clocks.peers)
}

// better returns the peer with the least reason not to lead, if that is less than one's own. Without a strict order two nodes would hand
// leadership to and fro.
func better(own byte, peers map[string]clockAnswer) (nodeID string) {
	least := unfitness(own)
	for id, a := range peers {
		if u := unfitness(a.wrong); u < least || u == least && nodeID != "" && id < nodeID {
			nodeID, least = id, u
		}
	}
	return nodeID
}

// unfitness orders the reasons not to lead. A wrong time is worse than everything else: it cannot be taken back. A full disk stops changes,
// and a node that only its wall clock left stamps rightly.
func unfitness(wrong byte) int {
	switch {
	case wrong&clockFar != 0:
		return 3
	case wrong&diskNoRoom != 0:
		return 2
	case wrong&clockWallOff != 0:
		return 1
	}
	return 0
}

var errClock = fault.New(fault.Unavailable, "This node was elected, but its clock is far from its peers' or was not compared with them yet")
