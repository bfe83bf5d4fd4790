package cluster

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// ExecuteUnnumbered is Execute without a session: what a failure did to the command is never known.
func (n *Node) ExecuteUnnumbered(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	a := n.proposer.ExecuteUnnumbered(ctx, call)
	return a.Result, a.Index, a.Err
}

// Corrupt executes a command on this node's ledger alone, as damaged memory or a program that is not deterministic would.
func (n *Node) Corrupt(actor fsm.Hash, c fsm.Command) fsm.Result {
	index, _ := n.replica.Digest()
	data := codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{{Actor: actor, Command: c}}})
	return n.replica.Apply(&raft.Log{Index: index, Type: raft.LogCommand, Data: data}).([]fsm.Result)[0]
}

// Proposed returns what this node handed to raft.
func (n *Node) Proposed() propose.Stats { return n.proposer.Stats() }

// AskToLeave tells the node at an address that a node was removed.
func (n *Node) AskToLeave(ctx context.Context, nodeID, addr string) error {
	_, err := membership.Leave.Call(ctx, n.client, addr, nodeID)
	return err
}

// CountFailedHeartbeats counts the heartbeats of this leader that a node does not answer, until the test ends.
func (n *Node) CountFailedHeartbeats(t testing.TB, nodeID string) *atomic.Int64 {
	var count atomic.Int64
	observer := raft.NewObserver(nil, false, func(o *raft.Observation) bool {
		if failed, ok := o.Data.(raft.FailedHeartbeatObservation); ok && string(failed.PeerID) == nodeID {
			count.Add(1)
		}
		return false
	})
	n.raft.RegisterObserver(observer)
	t.Cleanup(func() { n.raft.DeregisterObserver(observer) })
	return &count
}

// KnowsDeparture reports whether this node knows that another one left for good.
func (n *Node) KnowsDeparture(nodeID string) bool {
	_, left := n.departures.Of(nodeID)
	return left
}

// Members returns how many members gossip knows.
func (n *Node) Members() int { return len(n.directory.Members()) }

// Behind says which nodes keep the ledger from having a version.
func (n *Node) Behind(version uint64) string { return n.raiser.Behind(version) }

// Server returns a node's entry in raft's configuration, nil without one.
func (n *Node) Server(nodeID string) *raft.Server { return n.directory.Server(nodeID) }

// Servers returns raft's configuration as this node has it.
func (n *Node) Servers() []raft.Server { return n.directory.Servers() }
