package membership

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/rpc"
)

// Identify asks the node at an address who it is, and what it knows of a cluster.
var Identify = rpc.Method[rpc.Nothing, identity]{
	Number: 5, Name: "identify", Request: rpc.Empty, Answer: rpc.JSON[identity](),
}

// identity is what a node tells another one that would like to bootstrap a cluster. Unknown fields are ignored.
type identity struct {
	NodeID   string   `json:"nodeId"`
	HasState bool     `json:"hasState"` // raft has written here: a cluster exists
	Sees     []string `json:"sees"`     // ids of the founders that this node sees, sorted
}

// Bootstrap writes the first configuration of a new cluster.
type Bootstrap struct {
	Base
	Expect   int                  // number of founding nodes; 0: never bootstrap
	HasState func() (bool, error) // whether raft has written to this data directory
	Announce func()               // tells the others that a cluster exists
	Stand    func() error         // makes this node a candidate at once
	Fail     func(error)          // ends this node
	Reporter *Reporter

	wait clusterWait
}

// Single makes a node without gossip a cluster of one, unless it belongs to a cluster already.
func (b *Bootstrap) Single() error {
	has, err := b.HasState()
	if err != nil || has {
		return err
	}
	return b.write([]gossip.Member{{ID: b.NodeID, Meta: gossip.Meta{PeerAddr: b.PeerAddr}}})
}

func (b *Bootstrap) write(founders []gossip.Member) error {
	var c raft.Configuration
	for _, m := range founders {
		c.Servers = append(c.Servers, raft.Server{
			Suffrage: raft.Voter, ID: raft.ServerID(m.ID), Address: raft.ServerAddress(m.PeerAddr),
		})
	}
	if err := b.Raft.BootstrapCluster(c).Error(); err != nil {
		return fmt.Errorf("write the first configuration: %w", err)
	}
	b.Logger.Info("bootstrapped a new cluster", "nodes", len(founders))
	return nil
}

// Serve tells who this node is.
func (b *Bootstrap) Serve(context.Context, rpc.Nothing) (identity, error) {
	has, err := b.HasState()
	founders, _ := b.founders()
	return identity{NodeID: b.NodeID, HasState: has || err != nil, Sees: idsOf(founders)}, nil
}

// founders returns the live members without data that have the same expectation, sorted by id, and the members that have data.
func (b *Bootstrap) founders() (founders, owners []gossip.Member) {
	for _, m := range b.Directory.Members() {
		switch {
		case m.Foreign || m.Unreadable:
		case m.Bootstrapped:
			owners = append(owners, m)
		case m.Eligible() && m.Expect == b.Expect:
			founders = append(founders, m)
		}
	}
	slices.SortFunc(founders, func(x, y gossip.Member) int { return cmp.Compare(x.ID, y.ID) })
	return founders, owners
}

func idsOf(members []gossip.Member) []string {
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	return ids
}

// Run waits until the expected number of nodes see exactly each other. Then the node with the smallest id writes the first
// configuration, and the others receive it from there. A node that sees members with data founds nothing: it waits to be added to their
// cluster, and says so. A founder, and the only voter of a cluster, need not wait for a sign of a leader before they stand for election.
func (b *Bootstrap) Run(ctx context.Context) {
	if b.onlyVoter() {
		b.lead()
		return
	}
	ticker := time.NewTicker(bootstrapInterval)
	defer ticker.Stop()
	for b.Raft.LastIndex() == 0 {
		founders, owners := b.founders()
		switch {
		case len(owners) > 0:
			b.awaitCluster(ctx, owners)
		case b.Expect == 0 || len(founders) < b.Expect:
			b.wait.forget()
		case len(founders) > b.Expect:
			b.wait.say(b.Logger, waiting{text: surplusText, members: idsOf(founders)})
		case len(founders) == b.Expect && b.agreed(founders):
			if founders[0].ID != b.NodeID {
				b.Logger.Debug("another node bootstraps the cluster", "founder", founders[0].ID)
				break
			}
			if err := b.write(founders); err != nil {
				b.Fail(err)
				return
			}
			b.Announce()
			b.lead()
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// onlyVoter reports whether nobody else can lead.
func (b *Bootstrap) onlyVoter() bool {
	voters := slices.DeleteFunc(b.Directory.Servers(), func(s raft.Server) bool { return s.Suffrage != raft.Voter })
	return len(voters) == 1 && voters[0].ID == raft.ServerID(b.NodeID)
}

// lead makes this node a candidate at once. Without that, raft waits up to two heartbeat timeouts.
func (b *Bootstrap) lead() {
	if err := b.Stand(); err != nil {
		b.Logger.Warn("the election waits for raft's timeouts", "err", err)
	}
}

const bootstrapInterval = 200 * time.Millisecond

// agreed asks every founder whether it sees the same ones and knows of no cluster.
func (b *Bootstrap) agreed(founders []gossip.Member) bool {
	ids := idsOf(founders)
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	for _, m := range founders {
		if m.ID == b.NodeID {
			continue
		}
		reply, err := Identify.Call(ctx, b.Client, m.PeerAddr, rpc.Nothing{})
		if err != nil {
			b.Steady.Info("a founding node does not answer yet", "member", m.ID, "addr", m.PeerAddr, "err", err)
			return false
		}
		if reply.NodeID != m.ID || reply.HasState || !slices.Equal(reply.Sees, ids) {
			return false
		}
	}
	return true
}

// identifyTimeout bounds the question who is at an address.
const identifyTimeout = 2 * time.Second
