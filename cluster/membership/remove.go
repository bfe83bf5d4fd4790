package membership

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
)

// Remove asks the leader to remove a node; Leave tells a node that it was removed.
var (
	Remove = rpc.Method[string, rpc.Nothing]{
		Number: 6, Name: "remove", OfCluster: true, Request: rpc.Text, Answer: rpc.Empty,
	}
	Leave = rpc.Method[string, rpc.Nothing]{
		Number: 7, Name: "leave", OfCluster: true, Request: rpc.Text, Answer: rpc.Empty,
	}
)

// Removal takes nodes out of the cluster.
type Removal struct {
	Base
	Leader   *leader.Finder
	Serves   func() bool // whether this node serves as the leader
	Transfer *Transfer
	Fail     func(error) // ends this node

	blocked sync.Map // node id to the time.Time until which it is not added again
}

// Do takes a node out of raft's configuration permanently: its acknowledgements count no more. It is refused for the last voter, and
// where the remaining voters would have no quorum. A leader that is to go transfers leadership first.
func (r *Removal) Do(ctx context.Context, nodeID string) error {
	retried := false
	return r.Leader.Retry(ctx, func() error {
		if retried && r.Directory.Server(nodeID) == nil {
			return nil // the first attempt removed it; only its answer was lost
		}
		if r.Serves() {
			return r.here(ctx, nodeID)
		}
		_, err := leader.Call(ctx, r.Leader, &Remove, nodeID)
		if fault.KindOf(err) == fault.Unknown && err != nil && ctx.Err() == nil {
			// A leader that is to go transfers leadership first, which ends the call. Removing twice does no harm.
			retried = true
			return fault.Wrap(fault.Unavailable, "The leader changed while the node was being removed", err)
		}
		return err
	})
}

// Serve removes a node for another node.
func (r *Removal) Serve(ctx context.Context, nodeID string) (done rpc.Nothing, err error) {
	if !r.Serves() {
		return done, errNotServing
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	return done, r.here(ctx, nodeID)
}

// here is Do on the leader.
func (r *Removal) here(ctx context.Context, nodeID string) error {
	r.Changing.Lock()
	defer r.Changing.Unlock()
	f := r.Raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return fault.Wrap(fault.Unavailable, "The leader is changing", err)
	}
	if err := r.allowed(f.Configuration().Servers, nodeID); err != nil {
		return err
	}
	if nodeID == r.NodeID {
		return r.transferFirst(ctx)
	}
	r.block(nodeID)
	addr := ""
	if s := r.Directory.Server(nodeID); s != nil {
		addr = r.Directory.AddressOf(s.ID, s.Address)
	}
	change := r.Raft.RemoveServer(raft.ServerID(nodeID), f.Index(), changeTimeout)
	done := make(chan error, 1)
	go func() { done <- change.Error() }()
	select {
	case err := <-done:
		if err != nil {
			return fault.Wrap(fault.Unknown, "Whether the node was removed is not known", err)
		}
		r.Logger.Info("removed a node from the cluster", "member", nodeID)
		r.askToLeave(ctx, nodeID, addr)
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Unknown, "The node was not removed when the deadline passed", ctx.Err())
	case <-r.Stopping:
		return fault.Wrap(fault.Unknown, "The leader stopped before it knew whether the node was removed", leader.ErrStopping)
	}
}

// transferFirst lets another node lead and removes nothing: the caller's node asks again, and reaches the new leader.
func (r *Removal) transferFirst(ctx context.Context) error {
	err := r.Transfer.Here(ctx, "")
	switch {
	case err == nil:
		return fault.New(fault.Unavailable, "The node led and transferred leadership; ask again to remove it")
	case fault.KindOf(err) == fault.Unknown:
		return fault.Wrap(fault.Unavailable, "The node leads and has not transferred leadership yet", err)
	}
	return err
}

// allowed refuses what would leave fewer voters up than the remaining voters need for a quorum.
func (r *Removal) allowed(servers []raft.Server, nodeID string) error {
	up := make(map[raft.ServerID]bool)
	for _, m := range r.Directory.Members() {
		up[raft.ServerID(m.ID)] = m.Health == gossip.Alive
	}
	up[raft.ServerID(r.NodeID)] = true
	found, voter := false, false
	voters, alive := 0, 0
	for _, s := range servers {
		if string(s.ID) == nodeID {
			found, voter = true, s.Suffrage == raft.Voter
			continue
		}
		if s.Suffrage == raft.Voter {
			voters++
			if up[s.ID] {
				alive++
			}
		}
	}
	switch {
	case !found:
		return fault.New(fault.Invalid, "The node is not part of this cluster: "+nodeID)
	case voter && voters == 0:
		return fault.New(fault.Invalid, "The node is the last voter and cannot be removed")
	case voter && alive <= voters/2:
		return fault.New(fault.Invalid, "The remaining voters would have no quorum")
	}
	return nil
}

// errRemoved is why a removed node stops.
var errRemoved = errors.New("this node was removed from the cluster: its data directory may be deleted; " +
	"started again, it joins as a new node")

// askToLeave lets a node that was removed know, so that it stops instead of waiting for a leader forever. A node that cannot be reached is
// down or cut off; should it come back, it is added as a new node.
func (r *Removal) askToLeave(ctx context.Context, nodeID, addr string) {
	if _, err := Leave.Call(ctx, r.Client, addr, nodeID); err != nil {
		r.Logger.Info("a removed node could not be told", "member", nodeID, "err", err)
	}
}

// ServeLeave stops this node if it is the removed one: another node may have its address by now. It answers first, because afterwards
// nobody can.
func (r *Removal) ServeLeave(_ rpc.Caller, nodeID string, reply rpc.Reply[rpc.Nothing]) {
	if nodeID != r.NodeID {
		reply(rpc.Nothing{}, fault.New(fault.Invalid, "Another node has this address"))
		return
	}
	reply(rpc.Nothing{}, nil)
	go r.Fail(errRemoved)
}

// rejoinBlock is how long a removed node is not added again although gossip still sees it: it needs a moment to stop.
const rejoinBlock = time.Minute

func (r *Removal) block(nodeID string) { r.blocked.Store(nodeID, time.Now().Add(rejoinBlock)) }

// Blocked reports whether a member was removed a moment ago. Without this the reconciler would add it again at once.
func (r *Removal) Blocked(nodeID string) bool {
	until, ok := r.blocked.Load(nodeID)
	return ok && time.Now().Before(until.(time.Time))
}
