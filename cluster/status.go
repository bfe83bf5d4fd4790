package cluster

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/upgrade"
)

// Status is the cluster as this node sees it: contract 7.2, cluster.getStatus.
type Status struct {
	NodeID    string // the node that was asked
	ClusterID string
	LeaderID  string // empty: none known
	// Stale: the node has no leader, or has not heard of it for a while, so what it knows may be out of date.
	Stale bool
	Term  uint64
	// LedgerVersion is that of this node's ledger.
	LedgerVersion uint64
	Nodes         []NodeStatus // sorted by id
}

// NodeStatus is one node. What a node that does not answer would have said of itself is zero, and its role "unknown".
type NodeStatus struct {
	NodeID       string
	Role         string // leader, follower, candidate, unknown
	Voter        bool
	Membership   Membership
	ReplacedBy   string // the node that has or gets its place; empty: none
	LeftAt       int64  // Unix milliseconds at which it was removed or replaced; 0: it was not
	RemovedBy    string // who asked for the removal; empty: not known
	Health       string // alive, failed, left
	HTTPAddr     string
	PeerAddr     string
	GossipAddr   string
	Version      string        // the build
	Reads        upgrade.Range // the ledger versions that the build reads; zero: unknown
	CommitIndex  uint64
	AppliedIndex uint64
	DigestIndex  uint64
	Digest       string // hexadecimal

	Name string // for people; empty: none, or not known
	// Answered: the node answered. What follows is zero otherwise.
	Answered          bool
	LastContactMillis int64 // since it heard its leader; 0 at the leader, -1: never
	FreeBytes         uint64
	ReserveBytes      uint64
	DiskFull          bool
	ClockOffsetMillis int64 // the peers' time minus its own
	ClockWrong        bool
	Backup            *Backup // nil: it makes none, or an earlier build says nothing of it
	Certificates      []membership.Certificate
}

// Membership says what a node is to the cluster.
type Membership string

// The memberships. Servers of raft's configuration are voters or non-voters; a node that left for good is listed for a moment.
const (
	Voter    Membership = "voter"
	NonVoter Membership = "non-voter"
	Joining  Membership = "joining" // seen, and not in raft's configuration yet
	Left     Membership = "left"    // stopped in good order before it was added
	Removed  Membership = "removed"
	Replaced Membership = "replaced"
)

var roles = map[raft.RaftState]string{raft.Leader: "leader", raft.Follower: "follower", raft.Candidate: "candidate"}

const unknownRole = "unknown"

// report is what this node says of itself.
func (n *Node) report() membership.Report {
	role, ok := roles[n.raft.State()]
	if !ok {
		role = unknownRole
	}
	index, digest := n.replica.Digest()
	stats := n.raft.Stats()
	lastTerm, _ := strconv.ParseUint(stats["last_log_term"], 10, 64) // raft prints a number here
	reads, disk, clock := n.reads(), n.conf.Store.Space(), n.Clock()
	r := membership.Report{
		NodeID: n.id, ClusterID: n.replica.ClusterID(), Role: role, Version: n.conf.Version, HTTPAddr: n.conf.AdvertiseHTTP,
		GossipAddr: n.gossip.Addr(), Term: n.raft.CurrentTerm(), CommitIndex: n.raft.CommitIndex(),
		AppliedIndex: n.raft.AppliedIndex(), DigestIndex: index, Digest: digest.String(),
		LedgerVersion: n.replica.LedgerVersion(), MinLedger: reads.Min, MaxLedger: reads.Max,
		Name: n.conf.Name, NonVoter: n.conf.NonVoter, FreeBytes: disk.FreeBytes, ReserveBytes: disk.ReserveBytes, DiskFull: disk.DiskFull,
		ClockOffsetMillis: clock.Offset.Milliseconds(), ClockWrong: !clock.Fit(),
		LastTerm: lastTerm, LastIndex: n.raft.LastIndex(), LastContactMillis: -1,
	}
	reportBackups(n.backups, &r)
	if n.conf.Certificates != nil {
		r.Certificates = n.conf.Certificates()
	}
	if last := n.raft.LastContact(); role == roles[raft.Leader] {
		r.LastContactMillis = 0
	} else if !last.IsZero() {
		r.LastContactMillis = time.Since(last).Milliseconds()
	}
	return r
}

// Status asks every node that raft or gossip knows. Nodes that do not answer in time are listed as unknown.
func (n *Node) Status(ctx context.Context) (Status, error) {
	nodes := n.listed()
	addrs := make(map[string]string, len(nodes))
	for id, s := range nodes {
		addrs[id] = s.PeerAddr
	}
	for id, r := range n.reporter.Ask(ctx, addrs) {
		s := nodes[id]
		s.Role, s.Version, s.CommitIndex, s.AppliedIndex = r.Role, r.Version, r.CommitIndex, r.AppliedIndex
		s.HTTPAddr, s.GossipAddr = r.HTTPAddr, r.GossipAddr
		s.Answered, s.LastContactMillis, s.Name = true, r.LastContactMillis, r.Name
		s.FreeBytes, s.ReserveBytes, s.DiskFull = r.FreeBytes, r.ReserveBytes, r.DiskFull
		s.ClockOffsetMillis, s.ClockWrong = r.ClockOffsetMillis, r.ClockWrong
		s.DigestIndex, s.Digest, s.Reads = r.DigestIndex, r.Digest, upgrade.Range{Min: r.MinLedger, Max: r.MaxLedger}
		s.Certificates = r.Certificates
		if r.Backups {
			s.Backup = &Backup{LastAt: r.BackupAt, Failure: r.BackupFailure}
		}
		if n.conf.GossipAddr == "" {
			s.Health = gossip.Alive.String()
		}
	}
	n.names.fill(nodes)
	status := Status{
		NodeID: n.id, ClusterID: n.clusterID(), LeaderID: string(n.leader.Current()), Stale: n.stale(),
		Term: n.raft.CurrentTerm(), LedgerVersion: n.replica.LedgerVersion(),
	}
	for _, s := range nodes {
		status.Nodes = append(status.Nodes, *s)
	}
	slices.SortFunc(status.Nodes, func(x, y NodeStatus) int { return cmp.Compare(x.NodeID, y.NodeID) })
	return status, nil
}

// staleAfter is how long a node may hear nothing from its leader before what it knows counts as out of date.
const staleAfter = 2 * time.Second

func (n *Node) stale() bool {
	current := n.leader.Current()
	return current == "" || string(current) != n.id && time.Since(n.raft.LastContact()) > staleAfter
}

// listed returns every server of raft's configuration with what gossip says of it, gossip's members that raft does not have, and the nodes
// that left for good a moment ago.
func (n *Node) listed() map[string]*NodeStatus {
	nodes := make(map[string]*NodeStatus)
	servers := n.directory.Servers()
	for _, s := range servers {
		place, displaced := membership.Place(s.Address)
		nodes[string(s.ID)] = &NodeStatus{
			NodeID: string(s.ID), Role: unknownRole, Voter: s.Suffrage == raft.Voter, Membership: NonVoter,
			Health: gossip.Failed.String(), PeerAddr: place,
		}
		if s.Suffrage == raft.Voter {
			nodes[string(s.ID)].Membership = Voter
		}
		if displaced {
			nodes[string(s.ID)].ReplacedBy = n.departures.Successor(s, servers)
		}
	}
	for _, d := range n.departures.All() {
		if time.Since(time.UnixMilli(d.At)) < n.conf.ForgetAfter {
			nodes[d.NodeID] = departed(d)
		}
	}
	for _, m := range n.directory.Members() {
		if m.Foreign || m.Unreadable {
			continue
		}
		s := nodes[m.ID]
		if s == nil {
			if s = n.stranger(m); s == nil {
				continue
			}
			nodes[m.ID] = s
		}
		s.Health, s.HTTPAddr, s.PeerAddr, s.GossipAddr, s.Version = m.Health.String(), m.HTTPAddr, m.PeerAddr, m.GossipAddr, m.Version
		s.Reads = upgrade.Range{Min: uint64(m.MinLedger), Max: uint64(m.MaxLedger)}
	}
	if self := nodes[n.id]; self != nil && n.conf.PeerListener == nil {
		self.PeerAddr = "" // nothing listens there
	}
	return nodes
}

// departed is a node that left the cluster for good.
func departed(d membership.Departure) *NodeStatus {
	s := &NodeStatus{
		NodeID: d.NodeID, Role: unknownRole, Membership: Removed, Health: gossip.Left.String(),
		ReplacedBy: d.ReplacedBy, LeftAt: d.At, RemovedBy: d.By,
	}
	if d.By == "" && d.ReplacedBy != "" {
		s.Membership = Replaced
	}
	return s
}

// stranger is a member that raft's configuration does not have. A node that left for good is listed for as long as it runs on, and nil when
// it has ended.
func (n *Node) stranger(m gossip.Member) *NodeStatus {
	if d, left := n.departures.Of(m.ID); left {
		if m.Health != gossip.Alive {
			return nil
		}
		return departed(d)
	}
	s := &NodeStatus{NodeID: m.ID, Role: unknownRole, Membership: Joining}
	if m.Health == gossip.Left {
		s.Membership = Left
	}
	return s
}
