package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/peer"
)

// RemoveServer takes a node out of raft's configuration for good: its acknowledgements count no more. It is refused where those that
// stay could not go on, and for the last voter. A leader that is to go hands leadership over first.
func (n *Node) RemoveServer(ctx context.Context, nodeID string) error {
	again := false
	return n.withLeader(ctx, func() error {
		if again && n.server(nodeID) == nil {
			return nil // the first attempt removed it; only its answer was lost
		}
		if n.batcher.Load() != nil {
			return n.removeHere(ctx, nodeID)
		}
		_, err := n.callLeader(ctx, methodRemove, append(n.clusterTag(), nodeID...))
		if fault.KindOf(err) == fault.Unknown && err != nil && ctx.Err() == nil {
			// A leader that is to go hands leadership over first, which ends the call. Removing twice does no harm.
			again = true
			return fault.Wrap(fault.Unavailable, "The leader changed while the node was being removed", err)
		}
		return err
	})
}

func (n *Node) handleRemove(r peer.Request, reply peer.Reply) {
	nodeID, ok := n.cutTag(r.Payload)
	if !ok {
		reply(codeForeign, nil)
		return
	}
	if n.batcher.Load() == nil {
		reply(codeUnavailable, nil)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), changeTimeout)
	defer cancel()
	if err := n.removeHere(ctx, string(nodeID)); err != nil {
		reply(codeOf(err), nil)
		return
	}
	reply(peer.CodeOK, nil)
}

// removeHere is RemoveServer on the leader.
func (n *Node) removeHere(ctx context.Context, nodeID string) error {
	f := n.raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return fault.Wrap(fault.Unavailable, "The leader is changing", err)
	}
	if err := n.mayRemove(f.Configuration().Servers, nodeID); err != nil {
		return err
	}
	if nodeID == n.id {
		// Nothing was removed yet. The caller's node asks again, and reaches the new leader.
		if err := n.transferHere(ctx, ""); fault.KindOf(err) == fault.Unknown && err != nil {
			return fault.Wrap(fault.Unavailable, "The node leads, and leadership was not handed over yet", err)
		} else if err != nil {
			return err
		}
		return fault.New(fault.Unavailable, "The node led and handed leadership over; ask again to remove it")
	}
	n.banish(nodeID)
	addr := ""
	for _, s := range f.Configuration().Servers {
		if string(s.ID) == nodeID {
			addr = n.addressOf(s.ID, s.Address)
		}
	}
	change := n.raft.RemoveServer(raft.ServerID(nodeID), f.Index(), changeTimeout)
	done := make(chan error, 1)
	go func() { done <- change.Error() }()
	select {
	case err := <-done:
		if err != nil {
			return fault.Wrap(fault.Unknown, "Whether the node was removed is not known", err)
		}
		n.log.Info("removed a node from the cluster", "member", nodeID)
		n.tellToLeave(ctx, nodeID, addr)
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Unknown, "The node was not removed when the deadline passed", ctx.Err())
	case <-n.stopping:
		return fault.Wrap(fault.Unknown, "This node stopped before it knew whether the node was removed", errStopping)
	}
}

// mayRemove refuses what would leave fewer voters up than those that stay need for a majority.
func (n *Node) mayRemove(servers []raft.Server, nodeID string) error {
	up := make(map[raft.ServerID]bool)
	for _, m := range n.known() {
		up[raft.ServerID(m.ID)] = m.Health == gossip.Alive
	}
	up[raft.ServerID(n.id)] = true
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
		return fault.New(fault.Invalid, "The node is the last voter: without it nothing could be decided")
	case voter && alive <= voters/2:
		return fault.New(fault.Invalid, "Too few of the other voters are up to go on without the node")
	}
	return nil
}

// errRemoved is why a removed node stops.
var errRemoved = errors.New("this node was removed from the cluster: its data directory may be deleted; " +
	"started again, it joins anew")

// tellToLeave lets a node that was removed know, so that it stops instead of waiting for a leader for ever. One that cannot be
// reached is down, or cut off; should it come back, it is taken in as a newcomer.
func (n *Node) tellToLeave(ctx context.Context, nodeID, addr string) {
	if _, err := n.pool.Get(addr).Call(ctx, methodLeave, append(n.clusterTag(), nodeID...)); err != nil {
		n.log.Info("a removed node could not be told", "member", nodeID, "err", err)
	}
}

// handleLeave stops this node if it is the one meant: the address at which the leader believes the removed node may be another's by now.
func (n *Node) handleLeave(r peer.Request, reply peer.Reply) {
	if nodeID, ok := n.cutTag(r.Payload); !ok || string(nodeID) != n.id {
		reply(codeForeign, nil)
		return
	}
	reply(peer.CodeOK, nil)
	n.Fail(errRemoved)
}

// banishment is how long a removed node is not taken in again although gossip still sees it: it needs a moment to stop.
const banishment = time.Minute

func (n *Node) banish(nodeID string) { n.banished.Store(nodeID, time.Now().Add(banishment)) }

// isBanished reports whether a member was removed on purpose. Else the reconcile loop would take it in again at once.
func (n *Node) isBanished(nodeID string) bool {
	until, ok := n.banished.Load(nodeID)
	return ok && time.Now().Before(until.(time.Time))
}
