package membership

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
)

// TransferLeadership asks the leader to transfer leadership to a node, or to the most suitable one for "".
var TransferLeadership = rpc.Method[string, rpc.Nothing]{
	Number: 4, Name: "transfer leadership", OfCluster: true, OfMembers: true, Request: rpc.Text, Answer: rpc.Empty,
}

// Transfer moves leadership on purpose.
type Transfer struct {
	Base
	Leader  *leader.Finder
	Serves  func() bool   // whether this node serves as the leader
	Timeout time.Duration // for the transfer of a node that stops
}

// Do transfers leadership to a voter, or to the most suitable one when nodeID is empty, wherever the leader is.
//
// A change of leader may end the call before its answer: who leads afterwards tells whether it succeeded.
func (t *Transfer) Do(ctx context.Context, nodeID string) error {
	before := t.Leader.Current()
	err := t.Leader.Retry(ctx, func() error {
		if t.Serves() {
			return t.Here(ctx, nodeID)
		}
		_, err := leader.Call(ctx, t.Leader, &TransferLeadership, nodeID)
		return err
	})
	if err == nil || fault.KindOf(err) != fault.Unknown {
		return err
	}
	return t.Leader.Retry(ctx, func() error {
		now := t.Leader.Current()
		switch {
		case now == "":
			return leader.ErrNone
		case string(now) == nodeID, nodeID == "" && now != before:
			return nil
		default:
			return err
		}
	})
}

// Serve transfers leadership for another node.
func (t *Transfer) Serve(ctx context.Context, nodeID string) (done rpc.Nothing, err error) {
	if !t.Serves() {
		return done, errNotServing
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	return done, t.Here(ctx, nodeID)
}

var errNotServing = fault.New(fault.Unavailable, "The leader is changing")

// Here is Do on the leader.
func (t *Transfer) Here(ctx context.Context, nodeID string) error {
	var transfer raft.Future
	switch {
	case nodeID == t.NodeID:
		return nil
	case nodeID == "":
		if t.Directory.OtherVoters() == 0 {
			return fault.New(fault.Invalid, "There is no other voter to transfer leadership to")
		}
		transfer = t.Raft.LeadershipTransfer()
	default:
		target := t.Directory.Voter(nodeID)
		if target == nil {
			return fault.New(fault.Invalid, "The node is not a voter of this cluster: "+nodeID)
		}
		transfer = t.Raft.LeadershipTransferToServer(target.ID, raft.ServerAddress(t.Directory.AddressOf(target.ID, target.Address)))
	}
	done := make(chan error, 1)
	go func() { done <- transfer.Error() }()
	select {
	case err := <-done:
		switch {
		case err == nil:
			return nil
		case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
			return fault.Wrap(fault.Unavailable, "Leadership could not be transferred", err)
		}
		// The other node may have been asked, and may still stand for election. Not again: entries are refused meanwhile.
		return fault.Wrap(fault.Unknown, "Leadership has not been transferred yet", err)
	case <-ctx.Done():
		return fault.Wrap(fault.Unknown, "Leadership was not transferred when the deadline passed", ctx.Err())
	case <-t.Stopping:
		return fault.Wrap(fault.Unknown, "The leader stopped before it knew whether leadership was transferred", leader.ErrStopping)
	}
}

// BeforeStop transfers leadership to a peer, if there is one to take it, so that a planned stop costs no election.
func (t *Transfer) BeforeStop(ctx context.Context) {
	if t.Raft.State() != raft.Leader || t.Directory.OtherVoters() == 0 {
		return
	}
	transfer := t.Raft.LeadershipTransfer()
	done := make(chan error, 1)
	go func() { done <- transfer.Error() }()
	select {
	case err := <-done:
		if err != nil {
			t.Steady.Warn("no node took leadership over", "err", err)
			return
		}
		t.Logger.Info("another node takes over leadership")
	case <-ctx.Done():
		t.Steady.Warn("gave up transferring leadership", "err", ctx.Err())
	case <-time.After(t.Timeout):
		t.Steady.Warn("gave up transferring leadership", "after", t.Timeout)
	}
}
