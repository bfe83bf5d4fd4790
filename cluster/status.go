package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/peer"
)

// Status is the cluster as this node sees it: contract 7.2, cluster.getStatus.
type Status struct {
	ClusterID string
	LeaderID  string // empty: none known
	Term      uint64
	Nodes     []NodeStatus // sorted by id
}

// NodeStatus is one node. What a node that does not answer would have said of itself is zero, and its role "unknown".
type NodeStatus struct {
	NodeID       string
	Role         string // leader, follower, candidate, unknown
	Voter        bool
	Health       string // alive, failed, left
	HTTPAddr     string
	PeerAddr     string
	GossipAddr   string
	Version      string
	CommitIndex  uint64
	AppliedIndex uint64
	DigestIndex  uint64
	Digest       string // hexadecimal
}

// statusReply is what a node says of itself on the peer port.
type statusReply struct {
	NodeID            string `json:"nodeId"`
	ClusterID         string `json:"clusterId"`
	Role              string `json:"role"`
	Version           string `json:"version"`
	HTTPAddr          string `json:"httpAddr"`
	GossipAddr        string `json:"gossipAddr"`
	Term              uint64 `json:"term"`
	CommitIndex       uint64 `json:"commitIndex"`
	AppliedIndex      uint64 `json:"appliedIndex"`
	DigestIndex       uint64 `json:"digestIndex"`
	Digest            string `json:"digest"`
	LastContactMillis int64  `json:"lastContactMillis"` // since the leader was heard; 0 at the leader, -1 never
	LastTerm          uint64 `json:"lastTerm"`
	LastIndex         uint64 `json:"lastIndex"`
}

var roles = map[raft.RaftState]string{raft.Leader: "leader", raft.Follower: "follower", raft.Candidate: "candidate"}

func (n *Node) localStatus() statusReply {
	role, ok := roles[n.raft.State()]
	if !ok {
		role = "unknown"
	}
	index, digest := n.replica.Digest()
	stats := n.raft.Stats()
	lastTerm, _ := strconv.ParseUint(stats["last_log_term"], 10, 64) // raft prints a number here
	s := statusReply{
		NodeID: n.id, ClusterID: n.clusterID(), Role: role, Version: n.conf.Version, HTTPAddr: n.conf.AdvertiseHTTP,
		GossipAddr: n.gossipAddr(), Term: n.raft.CurrentTerm(), CommitIndex: n.raft.CommitIndex(),
		AppliedIndex: n.raft.AppliedIndex(), DigestIndex: index, Digest: digest.String(),
		LastTerm: lastTerm, LastIndex: n.raft.LastIndex(), LastContactMillis: -1,
	}
	if last := n.raft.LastContact(); role == "leader" {
		s.LastContactMillis = 0
	} else if !last.IsZero() {
		s.LastContactMillis = time.Since(last).Milliseconds()
	}
	return s
}

func (n *Node) gossipAddr() string {
	if g := n.gossip.Load(); g != nil {
		return g.Addr()
	}
	return ""
}

// statusTimeout bounds how long the slowest node delays the picture.
const statusTimeout = 2 * time.Second

// Status asks every node that raft or gossip knows. Nodes that do not answer in time are listed as unknown.
func (n *Node) Status(ctx context.Context) (Status, error) {
	nodes := n.listed()
	addrs := make(map[string]string, len(nodes))
	for id, s := range nodes {
		addrs[id] = s.PeerAddr
	}
	for id, r := range n.askStatus(ctx, addrs) {
		s := nodes[id]
		s.Role, s.Version, s.CommitIndex, s.AppliedIndex = r.Role, r.Version, r.CommitIndex, r.AppliedIndex
		s.HTTPAddr, s.GossipAddr = r.HTTPAddr, r.GossipAddr
		s.DigestIndex, s.Digest = r.DigestIndex, r.Digest
		if n.conf.GossipAddr == "" {
			s.Health = gossip.Alive.String()
		}
	}
	_, leader := n.raft.LeaderWithID()
	status := Status{ClusterID: n.clusterID(), LeaderID: string(leader), Term: n.raft.CurrentTerm()}
	for _, s := range nodes {
		status.Nodes = append(status.Nodes, *s)
	}
	sort.Slice(status.Nodes, func(i, j int) bool { return status.Nodes[i].NodeID < status.Nodes[j].NodeID })
	return status, nil
}

// listed returns every server of raft's configuration with what gossip says of it, and gossip's members that raft does not have.
func (n *Node) listed() map[string]*NodeStatus {
	nodes := make(map[string]*NodeStatus)
	for _, s := range n.servers() {
		nodes[string(s.ID)] = &NodeStatus{
			NodeID: string(s.ID), Role: "unknown", Voter: s.Suffrage == raft.Voter, Health: gossip.Failed.String(), PeerAddr: string(s.Address),
		}
	}
	for _, m := range n.known() {
		if m.Foreign || m.Unreadable {
			continue
		}
		s := nodes[m.ID]
		if s == nil {
			s = &NodeStatus{NodeID: m.ID, Role: "unknown"}
			nodes[m.ID] = s
		}
		s.Health, s.HTTPAddr, s.PeerAddr, s.GossipAddr, s.Version = m.Health.String(), m.HTTPAddr, m.PeerAddr, m.GossipAddr, m.Version
	}
	return nodes
}

// askStatus asks the nodes with these ids at these addresses, all at once, and returns the answers that came in time.
func (n *Node) askStatus(ctx context.Context, addrs map[string]string) map[string]statusReply {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	replies := make(map[string]statusReply, len(addrs))
	for id, addr := range addrs {
		asked.Add(1)
		go func() {
			defer asked.Done()
			reply, err := n.statusOf(ctx, id, addr)
			if err != nil {
				n.log.Debug("a node did not tell its status", "member", id, "addr", addr, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			replies[id] = reply
		}()
	}
	asked.Wait()
	return replies
}

func (n *Node) statusOf(ctx context.Context, id, addr string) (reply statusReply, err error) {
	if id == n.id {
		return n.localStatus(), nil
	}
	answer, err := n.pool.Get(addr).Call(ctx, methodStatus, nil)
	if err != nil {
		return reply, err
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		return reply, err
	}
	if reply.NodeID != id {
		return reply, fault.New(fault.Unavailable, "another node answers at this address: "+reply.NodeID)
	}
	return reply, nil
}

// TransferLeadership hands leadership to a voter, or to the most suitable one when nodeID is empty.
//
// A change of leader may end the call before its answer: who leads afterwards tells what became of it.
func (n *Node) TransferLeadership(ctx context.Context, nodeID string) error {
	_, before := n.raft.LeaderWithID()
	err := n.withLeader(ctx, func() error {
		if n.batcher.Load() != nil {
			return n.transferHere(ctx, nodeID)
		}
		_, err := n.callLeader(ctx, methodTransfer, append(n.clusterTag(), nodeID...))
		return err
	})
	if err == nil || fault.KindOf(err) != fault.Unknown {
		return err
	}
	return n.withLeader(ctx, func() error {
		_, now := n.raft.LeaderWithID()
		switch {
		case now == "":
			return noLeader
		case string(now) == nodeID, nodeID == "" && now != before:
			return nil
		default:
			return err
		}
	})
}

func (n *Node) handleTransfer(r peer.Request, reply peer.Reply) {
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
	if err := n.transferHere(ctx, string(nodeID)); err != nil {
		reply(codeOf(err), nil)
		return
	}
	reply(peer.CodeOK, nil)
}

// transferHere is TransferLeadership on the leader.
func (n *Node) transferHere(ctx context.Context, nodeID string) error {
	var transfer raft.Future
	switch {
	case nodeID == n.id:
		return nil
	case nodeID == "":
		if n.otherVoters() == 0 {
			return fault.New(fault.Invalid, "There is no other voter to take leadership over")
		}
		transfer = n.raft.LeadershipTransfer()
	default:
		target := n.voter(nodeID)
		if target == nil {
			return fault.New(fault.Invalid, "The node is not a voter of this cluster: "+nodeID)
		}
		transfer = n.raft.LeadershipTransferToServer(target.ID, raft.ServerAddress(n.addressOf(target.ID, target.Address)))
	}
	done := make(chan error, 1)
	go func() { done <- transfer.Error() }()
	select {
	case err := <-done:
		switch {
		case err == nil:
			return nil
		case errors.Is(err, raft.ErrNotLeader), errors.Is(err, raft.ErrLeadershipTransferInProgress):
			return fault.Wrap(fault.Unavailable, "Leadership could not be handed over", err)
		}
		// The other one may have been asked, and stand for election yet. Not again: entries are refused meanwhile.
		return fault.Wrap(fault.Unknown, "Leadership was not handed over yet", err)
	case <-ctx.Done():
		return fault.Wrap(fault.Unknown, "Leadership was not handed over when the deadline passed", ctx.Err())
	case <-n.stopping:
		return fault.Wrap(fault.Unknown, "This node stopped before it knew whether leadership was handed over", errStopping)
	}
}

func (n *Node) voter(nodeID string) *raft.Server {
	if s := n.server(nodeID); s != nil && s.Suffrage == raft.Voter {
		return s
	}
	return nil
}

// server finds a node in raft's configuration.
func (n *Node) server(nodeID string) *raft.Server {
	for _, s := range n.servers() {
		if string(s.ID) == nodeID {
			return &s
		}
	}
	return nil
}
