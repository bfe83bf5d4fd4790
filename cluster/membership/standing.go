package membership

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/leader"
)

// Standing knows whether this node counts as what it is meant to be: a voter, with everything that was committed when it looked.
type Standing struct {
	Base
	NonVoter bool        // it is meant to have no vote
	Serves   func() bool // whether this node serves as the leader
	Reporter *Reporter

	caughtUp atomic.Bool // once, in the life of this process
}

var (
	errNoVote = fault.New(fault.Unavailable,
		"This node has no vote: the leader gives it one when it has caught up and has been healthy for long enough")
	errNoServer    = fault.New(fault.Unavailable, "This node does not belong to the cluster yet: the leader has not added it")
	errPredecessor = fault.New(fault.Unavailable, "The node that was at this address before still has a vote: wait until a leader of this "+
		"build takes it away, or remove that node")
	errBehind = fault.New(fault.Unavailable, "This node has not caught up with the leader yet")
)

// Check returns why this node does not count yet.
func (s *Standing) Check() error {
	switch {
	case s.NonVoter && !s.counts():
		return errNoServer
	case !s.counts():
		return errNoVote
	case !s.caughtUp.Load():
		return errBehind
	case s.hasPredecessor():
		return errPredecessor
	}
	return nil
}

// counts reports whether raft's configuration has this node as what it is meant to be.
func (s *Standing) counts() bool {
	server := s.Directory.Server(s.NodeID)
	return server != nil && (s.NonVoter || server.Suffrage == raft.Voter)
}

// Counted reports whether this node has counted since its start.
func (s *Standing) Counted() bool { return s.caughtUp.Load() }

// hasPredecessor reports whether the node that this one replaces still has a vote. A leader of an earlier build gives the successor a vote
// and never takes that one away, so one voter too many would be down.
func (s *Standing) hasPredecessor() bool {
	return slices.ContainsFunc(s.Directory.Servers(), func(o raft.Server) bool {
		place, displaced := Place(o.Address)
		return displaced && place == s.PeerAddr && string(o.ID) != s.NodeID && o.Suffrage == raft.Voter
	})
}

// Run looks until this node has caught up as a voter, or ctx ends.
func (s *Standing) Run(ctx context.Context) {
	for !s.look(ctx) {
		if !leader.Backoff(ctx) {
			return
		}
	}
	s.caughtUp.Store(true)
}

// lookTimeout bounds one look. An entry that another leader took back is never applied, so the next look asks for less.
const lookTimeout = time.Second

// look reports whether this node had a vote and has applied the entry that gave it, and all that the leader calls committed.
func (s *Standing) look(ctx context.Context) bool {
	if !s.counts() {
		return false
	}
	if s.Serves() {
		return true // a term begins with everything applied
	}
	addr, id := s.Raft.LeaderWithID()
	if id == "" || string(id) == s.NodeID {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	report, err := s.Reporter.of(asking, string(id), s.Directory.AddressOf(id, addr))
	if err != nil || report.Role != leaderRole {
		return false
	}
	index := max(s.Raft.LastIndex(), report.CommitIndex) // raft counts the vote from an entry that may not be committed yet
	giveUp := time.Now().Add(lookTimeout)
	for s.Raft.AppliedIndex() < index {
		if time.Now().After(giveUp) || !leader.Backoff(ctx) {
			return false
		}
	}
	return s.counts()
}
