package cluster

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// A leader whose process ended is replaced sooner than raft's timeouts would have it: its machine refuses connections to its peer port,
// which nothing that is merely slow, paused or cut off does. The voters then stand for election one after the other instead of
// whenever their timers say so, so that they do not split the vote. An election at any time is safe; where this finds nothing, or its
// candidate is not up to date, the timeouts decide as ever.

// watchForDeath looks at the leader when it has not been heard for longer than a heartbeat takes.
func (n *Node) watchForDeath() {
	ticker := time.NewTicker(n.conf.HeartbeatTimeout / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-n.stopping:
			return
		}
		if o, silent := n.orphaned(); silent && n.refusesConnections(o.leader, o.addr) {
			n.succeed(o)
		}
	}
}

// orphan is a follower's view of a leader that has fallen silent.
type orphan struct {
	leader  raft.ServerID
	addr    raft.ServerAddress
	contact time.Time // the last
}

// orphaned reports whether this node follows a leader that has missed two heartbeats or more.
func (n *Node) orphaned() (o orphan, silent bool) {
	o.contact = n.raft.LastContact()
	o.addr, o.leader = n.raft.LeaderWithID()
	silent = n.raft.State() == raft.Follower && o.leader != "" && time.Since(o.contact) > n.conf.HeartbeatTimeout/4
	return o, silent
}

func (n *Node) refusesConnections(id raft.ServerID, addr raft.ServerAddress) bool {
	ctx, cancel := context.WithTimeout(context.Background(), n.conf.HeartbeatTimeout/4)
	defer cancel()
	conn, err := n.dialer().DialCalls(ctx, n.addressOf(id, addr))
	if err == nil {
		_ = conn.Close() // it was only to see whether someone is there
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// succeed makes this node a candidate, unless a voter whose turn is earlier has won meanwhile.
func (n *Node) succeed(o orphan) {
	turn := slices.Index(n.heirs(o.leader), raft.ServerID(n.id))
	if turn < 0 || n.clocks.guard.Verdict().Far {
		return
	}
	wait := time.NewTimer(time.Duration(turn) * n.conf.HeartbeatTimeout / 2)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-n.stopping:
		return
	}
	_, leader := n.raft.LeaderWithID()
	if n.raft.State() != raft.Follower || leader != "" && leader != o.leader || n.raft.LastContact() != o.contact {
		return
	}
	n.log.Warn("the leader's process has ended, standing for election", "leader", o.leader)
	// raft takes this from a leader that hands over, and there is no other way to tell it not to wait.
	self := raft.ServerAddress(n.conf.AdvertisePeer)
	order := raft.TimeoutNowRequest{RPCHeader: raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte(n.id), Addr: []byte(self)}}
	if err := n.link.TimeoutNow(raft.ServerID(n.id), self, &order, &raft.TimeoutNowResponse{}); err != nil {
		n.log.Warn("the election waits for raft's timeouts", "err", err)
	}
}

// heirs are the voters without the one that is gone, in the order in which all nodes see them.
func (n *Node) heirs(gone raft.ServerID) (ids []raft.ServerID) {
	for _, s := range n.servers() {
		if s.Suffrage == raft.Voter && s.ID != gone {
			ids = append(ids, s.ID)
		}
	}
	slices.SortFunc(ids, func(x, y raft.ServerID) int { return cmp.Compare(x, y) })
	return ids
}
