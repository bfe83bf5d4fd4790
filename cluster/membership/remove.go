package membership

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
)

// RemoveServer asks the leader to remove a node. Builds that do not know it are asked with Remove, and tell a node with Leave that it was
// removed; later ones use Exchange.
var (
	RemoveServer = rpc.Method[removal, rpc.Nothing]{
		Number: 12, Name: "remove server", OfCluster: true, OfMembers: true, Request: rpc.JSON[removal](), Answer: rpc.Empty,
	}
	Remove = rpc.Method[string, rpc.Nothing]{
		Number: 6, Name: "remove", OfCluster: true, OfMembers: true, Request: rpc.Text, Answer: rpc.Empty,
	}
	Leave = rpc.Method[string, rpc.Nothing]{
		Number: 7, Name: "leave", OfCluster: true, Request: rpc.Text, Answer: rpc.Empty,
	}
)

// removal is which node is to go, and who asks for it.
type removal struct {
	NodeID string `json:"nodeId"`
	By     string `json:"by"`
	Again  bool   `json:"again,omitempty"` // the answer to an earlier attempt was lost
}

// Removal takes nodes out of the cluster.
type Removal struct {
	Base
	Leader     *leader.Finder
	Serves     func() bool // whether this node serves as the leader
	Transfer   *Transfer
	Departures *Departures

	leaving sync.Map // id of a node whose removal was tried to the time.Time until which it is not added again
}

// Do takes a node out of raft's configuration permanently: its acknowledgements count no more. It is refused for the last voter, and
// where the remaining voters would have no quorum. A leader that is to go transfers leadership first. by says who asks for it.
func (r *Removal) Do(ctx context.Context, nodeID, by string) error {
	wanted := removal{NodeID: nodeID, By: by}
	return r.Leader.Retry(ctx, func() error {
		if r.Serves() {
			return r.here(ctx, wanted)
		}
		_, err := leader.Call(ctx, r.Leader, &RemoveServer, wanted)
		if err != nil && fault.KindOf(err) == fault.Unsupported {
			if wanted.Again && r.Directory.Server(nodeID) == nil {
				return nil // such a leader would refuse it
			}
			_, err = leader.Call(ctx, r.Leader, &Remove, nodeID)
		}
		if fault.KindOf(err) == fault.Unknown && err != nil && ctx.Err() == nil {
			// A leader that is to go transfers leadership first, which ends the call. Removing twice does no harm.
			wanted.Again = true
			return fault.Wrap(fault.Unavailable, "The leader changed while the node was being removed", err)
		}
		return err
	})
}

// ServeOlder removes a node for a node that does not know who asks for it.
func (r *Removal) ServeOlder(ctx context.Context, nodeID string) (rpc.Nothing, error) {
	return r.Serve(ctx, removal{NodeID: nodeID, By: "an operator, through a node of an earlier build"})
}

// Serve removes a node for another node.
func (r *Removal) Serve(ctx context.Context, wanted removal) (done rpc.Nothing, err error) {
	if !r.Serves() {
		return done, errNotServing
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	return done, r.here(ctx, wanted)
}

// here is Do on the leader.
func (r *Removal) here(ctx context.Context, wanted removal) error {
	r.Changing.Lock()
	defer r.Changing.Unlock()
	nodeID := wanted.NodeID
	f := r.Raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return fault.Wrap(fault.Unavailable, "The leader is changing", err)
	}
	servers := f.Configuration().Servers
	if wanted.Again && !slices.ContainsFunc(servers, func(s raft.Server) bool { return string(s.ID) == nodeID }) {
		r.Departures.Add(Departure{NodeID: nodeID, At: time.Now().UnixMilli(), By: wanted.By})
		return nil
	}
	if err := r.allowed(servers, nodeID); err != nil {
		return err
	}
	if nodeID == r.NodeID {
		return r.transferFirst(ctx)
	}
	r.leaving.Store(nodeID, time.Now().Add(rejoinBlock))
	addr := ""
	if s := r.Directory.Server(nodeID); s != nil {
		addr = r.Directory.AddressOf(s.ID, s.Address)
	}
	change := r.Raft.RemoveServer(raft.ServerID(nodeID), 0, changeTimeout)
	done := make(chan error, 1)
	go func() { done <- change.Error() }()
	select {
	case err := <-done:
		if err != nil {
			return fault.Wrap(fault.Unknown, "Whether the node was removed is not known", err)
		}
		r.Departures.Add(Departure{NodeID: nodeID, At: time.Now().UnixMilli(), By: wanted.By})
		r.Departures.TellGone(ctx, nodeID, addr)
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
	alive := map[raft.ServerID]bool{raft.ServerID(r.NodeID): true}
	for _, m := range r.Directory.Members() {
		alive[raft.ServerID(m.ID)] = alive[raft.ServerID(m.ID)] || m.Health == gossip.Alive
	}
	var target *raft.Server
	var down []string
	voters := 0
	for _, s := range servers {
		switch {
		case string(s.ID) == nodeID:
			target = &s
		case s.Suffrage == raft.Voter:
			voters++
			if !alive[s.ID] {
				down = append(down, string(s.ID))
			}
		}
	}
	switch {
	case target == nil:
		return r.unknown(nodeID)
	case target.Suffrage != raft.Voter:
		return nil
	case voters == 0:
		return fault.New(fault.Invalid, "The node is the last voter and cannot be removed")
	case voters-len(down) <= voters/2:
		return fault.New(fault.Invalid, fmt.Sprintf("The remaining voters would have no quorum: without %s, %d of %d voters would be up (down: %s)",
			nodeID, voters-len(down), voters, strings.Join(down, ", ")))
	}
	return nil
}

// unknown says why a node that is not in raft's configuration cannot be removed.
func (r *Removal) unknown(nodeID string) error {
	if d, left := r.Departures.Of(nodeID); left {
		return fault.New(fault.Invalid, fmt.Sprintf("The node is not part of this cluster any more: %s was %s", nodeID, d))
	}
	for _, m := range r.Directory.Members() {
		switch {
		case m.ID != nodeID:
		case m.Foreign:
			return fault.New(fault.Invalid, "The node belongs to another cluster: "+nodeID)
		case m.Health == gossip.Alive:
			return fault.New(fault.Invalid, fmt.Sprintf("The node is not part of this cluster yet: %s is up and waits to be added; to keep it out, stop it", nodeID))
		}
	}
	return fault.New(fault.Invalid, "The node is not part of this cluster: "+nodeID)
}

// ServeLeave stops this node if it is the removed one: another node may have its address by now. It answers first, because afterwards
// nobody can.
func (r *Removal) ServeLeave(_ rpc.Caller, nodeID string, reply rpc.Reply[rpc.Nothing]) {
	if nodeID != r.NodeID {
		reply(rpc.Nothing{}, fault.New(fault.Invalid, "Another node has this address"))
		return
	}
	reply(rpc.Nothing{}, nil)
	go r.Departures.Add(Departure{NodeID: nodeID, At: time.Now().UnixMilli()})
}

// rejoinBlock is how long a node is not added again while it is not known whether its removal succeeded.
const rejoinBlock = time.Minute

// Blocked reports whether a member must not be added: it left the cluster for good, or is about to.
func (r *Removal) Blocked(nodeID string) bool {
	if until, tried := r.leaving.Load(nodeID); tried && time.Now().Before(until.(time.Time)) {
		return true
	}
	_, left := r.Departures.Of(nodeID)
	return left
}
