package api

import (
	"context"

	"github.com/creditd/creditd/fsm"
)

// Node is the ledger as the API sees it. An error is a fault (package cluster/fault): no answer was reached. A refusal is an answer, an
// *fsm.Refusal. The index is the Raft index that the answer reflects, or 0.
//
// A method returns at the latest when its context is done.
type Node interface {
	// Execute executes a command on the leader.
	Execute(ctx context.Context, call fsm.Call) (r fsm.Result, index uint64, err error)
	// Answer answers a query linearizably.
	Answer(ctx context.Context, actor fsm.Hash, q fsm.Query) (r fsm.Result, index uint64, err error)
	// AnswerStale answers from this node's state once it has applied minIndex; 0 means at once.
	AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (r fsm.Result, index uint64, err error)
	// Status describes the cluster as this node knows it, with or without a leader.
	Status(ctx context.Context) (Status, error)
	// TransferLeadership transfers leadership to the named node. If the name is empty, the leader chooses the node.
	TransferLeadership(ctx context.Context, nodeID string) error
	// RemoveServer removes a node from the cluster permanently. by says who asks for it.
	RemoveServer(ctx context.Context, nodeID, by string) error
	// GossipKeys shows the gossip keys of all nodes by their ids.
	GossipKeys(ctx context.Context) ([]NodeGossipKeys, error)
	// ChangeGossipKeys changes the gossip keys of all nodes, or refuses what would split the cluster. It returns the id of the key.
	ChangeGossipKeys(ctx context.Context, change GossipKeyChange) (keyID string, nodes []NodeGossipKeys, err error)
	// LedgerVersion is the version of this node's ledger. It never falls, and may be behind the cluster's.
	LedgerVersion() uint64
	// RequestQuota returns the workspace of a root key and how many requests per second it may make; 0: any number. It is asked for every request.
	RequestQuota(actor fsm.Hash) (workspaceID string, perSecond int64)
	// VerdictBytes is about how many bytes verdicts on keys take in an answer, as this node's ledger has the keys.
	VerdictBytes(keys []fsm.Hash) int64
	// TakeTurn waits until a costly request of a root key's workspace may use the CPU, and returns how to end its turn. It does not wait for
	// long: then the fault says that nothing was executed.
	TakeTurn(ctx context.Context, actor fsm.Hash) (end func(), err error)
	// Records returns the ledger at an index that is at least minIndex. The caller closes it.
	Records(ctx context.Context, minIndex uint64) (Records, error)
	// Snapshot returns the whole ledger as a file, of an index that is at least minIndex. The work counts as the actor's. The caller closes it.
	Snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (Snapshot, error)
	// Ready returns nil if requests can be served, or why not.
	Ready() error
}

// Status is what cluster.getStatus shows. See docs/contract.md 7.2.
type Status struct {
	NodeID    string `json:"nodeId"` // the node that answers
	ClusterID string `json:"clusterId"`
	// Generation is empty in the first one. Another begins when the cluster is recovered without its quorum, or restored under its id.
	Generation string `json:"generation,omitempty"`
	LeaderID   string `json:"leaderId,omitempty"` // empty: no leader
	// Stale: the node has not heard of a leader lately, so what it knows may be out of date.
	Stale bool `json:"stale"`
	// Reduced: the root key could not be checked, so the answer has no addresses.
	Reduced bool   `json:"reduced,omitempty"`
	Term    uint64 `json:"term"`
	// LedgerVersion is the version of the ledger: commands that came with a later one are refused.
	LedgerVersion uint64       `json:"ledgerVersion"`
	Nodes         []NodeStatus `json:"nodes"`
}

// NodeStatus is one node of the cluster. Fields with an unknown value are empty.
type NodeStatus struct {
	NodeID     string `json:"nodeId"`
	Role       string `json:"role"` // leader, follower, candidate or unknown
	Voter      bool   `json:"voter"`
	Membership string `json:"membership"`           // voter, non-voter, joining, left, removed or replaced
	ReplacedBy string `json:"replacedBy,omitempty"` // the node that has its place
	LeftAt     int64  `json:"leftAt,omitempty"`     // Unix milliseconds at which it was removed or replaced
	RemovedBy  string `json:"removedBy,omitempty"`  // who asked for the removal
	Health     string `json:"health"`               // alive, failed or left
	HTTPAddr   string `json:"httpAddr,omitempty"`
	PeerAddr   string `json:"peerAddr,omitempty"`
	GossipAddr string `json:"gossipAddr,omitempty"`
	Version    string `json:"version,omitempty"` // the build
	// LedgerVersions are those that the build reads.
	LedgerVersions *LedgerVersions `json:"ledgerVersions,omitempty"`
	CommitIndex    uint64          `json:"commitIndex"`
	AppliedIndex   uint64          `json:"appliedIndex"`
	Digest         *Digest         `json:"digest,omitempty"`

	Name string `json:"name,omitempty"` // for people
	// Lag is how many entries the node has not applied that the cluster has committed, as far as the nodes that answered know.
	Lag *uint64 `json:"lag,omitempty"`
	// LastContactMillis is the time since the node heard its leader; 0 at the leader, -1: never. Unknown of a node that does not answer.
	LastContactMillis *int64       `json:"lastContactMillis,omitempty"`
	Disk              *DiskStatus  `json:"disk,omitempty"`
	Clock             *ClockStatus `json:"clock,omitempty"`
	// Backup is missing of a node that makes no backups while it leads.
	Backup *BackupStatus `json:"backup,omitempty"`
	// Certificates are those of a node's ports; none without TLS of its own.
	Certificates []CertificateStatus `json:"certificates,omitempty"`
}

// CertificateStatus is when a certificate of a node ends.
type CertificateStatus struct {
	Name     string `json:"name"`     // http, http_ca, peer or peer_ca
	NotAfter int64  `json:"notAfter"` // Unix milliseconds; of several authorities, the first
}

// BackupStatus is what a node knows of the backups that it makes while it leads.
type BackupStatus struct {
	LastAt  int64  `json:"lastAt"`            // when the newest one in its directory was begun, Unix milliseconds; 0: there is none
	Failure string `json:"failure,omitempty"` // why the last attempt failed; empty: it did not
}

// DiskStatus is the free space of a node's data directory.
type DiskStatus struct {
	FreeBytes    uint64 `json:"freeBytes"`
	ReserveBytes uint64 `json:"reserveBytes"` // with less, changes are refused
	Full         bool   `json:"full"`
}

// ClockStatus is a node's clock.
type ClockStatus struct {
	OffsetMillis int64 `json:"offsetMillis"` // the peers' time minus the node's
	Fit          bool  `json:"fit"`          // false: it does not lead because of its clock
}

// LedgerVersions is a range of ledger versions, both included.
type LedgerVersions struct {
	Min uint64 `json:"min"`
	Max uint64 `json:"max"`
}

// Digest is a hash over a node's whole state at one applied index.
type Digest struct {
	Index uint64 `json:"index"`
	Value string `json:"value"` // hexadecimal
}
