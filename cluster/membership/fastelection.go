package membership

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// FastElection replaces a leader whose process ended, sooner than raft's timeouts would. The leader's machine refuses connections to its
// peer port then. A node that is only slow, paused or cut off does not refuse them. The voters then stand for election one after the other,
// so that they do not split the vote. An election at any time is safe; where this one finds no leader, raft's timeouts decide.
type FastElection struct {
	Base
	HeartbeatTimeout time.Duration
	// Dial opens a connection to the peer port of a node.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// MayStand reports whether this node is fit to lead.
	MayStand func() bool
	// Stand makes this node a candidate at once.
	Stand func() error
}

// Watch looks at the leader when it has not been heard for longer than a heartbeat takes, until the node stops.
func (e *FastElection) Watch() {
	ticker := time.NewTicker(e.HeartbeatTimeout / 10)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-e.Stopping:
			return
		}
		if s, silent := e.leaderSilent(); silent && e.refusesConnections(s.leader, s.addr) {
			e.standForElection(s)
		}
	}
}

// silentLeader is a follower's view of a leader that it does not hear.
type silentLeader struct {
	leader  raft.ServerID
	addr    raft.ServerAddress
	contact time.Time // the last
}

// leaderSilent reports whether this node follows a leader that has missed two heartbeats or more.
func (e *FastElection) leaderSilent() (s silentLeader, silent bool) {
	s.contact = e.Raft.LastContact()
	s.addr, s.leader = e.Raft.LeaderWithID()
	silent = e.Raft.State() == raft.Follower && s.leader != "" && time.Since(s.contact) > e.HeartbeatTimeout/4
	return s, silent
}

func (e *FastElection) refusesConnections(id raft.ServerID, addr raft.ServerAddress) bool {
	ctx, cancel := context.WithTimeout(context.Background(), e.HeartbeatTimeout/4)
	defer cancel()
	conn, err := e.Dial(ctx, e.Directory.AddressOf(id, addr))
	if err == nil {
		_ = conn.Close() // it was only to see whether someone is there
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// standForElection makes this node a candidate when its turn comes, unless another voter has won by then.
func (e *FastElection) standForElection(s silentLeader) {
	turn := slices.Index(e.electionOrder(s.leader), raft.ServerID(e.NodeID))
	if turn < 0 || !e.MayStand() {
		return
	}
	wait := time.NewTimer(time.Duration(turn) * e.HeartbeatTimeout / 2)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-e.Stopping:
		return
	}
	_, leader := e.Raft.LeaderWithID()
	if e.Raft.State() != raft.Follower || leader != "" && leader != s.leader || e.Raft.LastContact() != s.contact {
		return
	}
	e.Logger.Warn("the leader's process has ended, standing for election", "leader", s.leader)
	if err := e.Stand(); err != nil {
		e.Logger.Warn("the election waits for raft's timeouts", "err", err)
	}
}

// electionOrder returns the voters without the one that is gone, in the order in which all nodes see them.
func (e *FastElection) electionOrder(gone raft.ServerID) (ids []raft.ServerID) {
	for _, s := range e.Directory.Servers() {
		if s.Suffrage == raft.Voter && s.ID != gone {
			ids = append(ids, s.ID)
		}
	}
	slices.SortFunc(ids, func(x, y raft.ServerID) int { return cmp.Compare(x, y) })
	return ids
}
