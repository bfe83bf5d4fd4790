package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/cluster/upgrade"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// Config is everything a Node needs. Start from DefaultConfig: durations must not be zero. Read-only after New.
type Config struct {
	// Store is the node's open data directory. The node closes it.
	Store *store.Store
	// Preloaded is the ledger that was loaded while the Store was opened; nil: Start loads it.
	Preloaded *replica.Preloaded
	// PeerListener is the open peer port, for raft and calls between nodes. The node closes it. nil: a node without gossip needs none.
	PeerListener net.Listener
	// AdvertisePeer is the address at which other nodes reach the peer port, now or later. Default: the listener's.
	AdvertisePeer string
	// AdvertiseHTTP is shown to operators; nodes do not use it.
	AdvertiseHTTP string
	// Dial replaces the TCP dial to other peers, for tests that cut links.
	Dial func(ctx context.Context, addr string) (net.Conn, error)
	// ServerTLS and ClientTLS protect the peer port; both or none. ClientTLS is asked for each connection.
	ServerTLS *tls.Config
	ClientTLS func() *tls.Config

	// Certificates says when those of this node end, for its status. nil: there are none.
	Certificates func() []membership.Certificate

	// GossipAddr is where memberlist binds. Empty: this node keeps to itself, which only a single node may.
	GossipAddr string
	// AdvertiseGossip is the address at which other nodes reach it. Default: GossipAddr.
	AdvertiseGossip string
	// GossipKey encrypts gossip, 32 bytes. It may be missing on loopback only, unless InsecureGossip.
	GossipKey []byte
	// GossipOtherKeys decrypt what nodes send that have another GossipKey, while it is replaced. See SetGossipKeys. Keys that ChangeGossipKeys
	// left in the data directory count instead, unless these have changed since.
	GossipOtherKeys [][]byte
	InsecureGossip  bool
	// Join lists gossip addresses; this node's own among them is fine.
	Join []string

	// BootstrapExpect is the number of nodes that bootstrap a cluster: 1, 3, 5 or 7. 0: only join one.
	BootstrapExpect int
	// Founding names the ledger, its first workspace and its first root key, should this node be the one to bootstrap it.
	Founding fsm.Bootstrap

	// Name is shown beside the node's id, for people. It need not be unique.
	Name string
	// NonVoter: this node serves requests and reads, and never gets a vote.
	NonVoter bool
	// RemoveDeadVoters is how long a voter may be dead before the leader removes it, if at least three voters are left and all are up. 0: for ever.
	RemoveDeadVoters time.Duration

	Version string // the build
	// LedgerVersions is the range that the build reads. Only tests of upgrades set another one than upgrade.OfThisBuild.
	LedgerVersions upgrade.Range
	// HoldLedgerVersion keeps the ledger at this version, or at a newer one that it already has. So the cluster can go back to the build
	// before. 0: it rises as soon as every node reads a newer one.
	HoldLedgerVersion uint64
	Logger            *slog.Logger
	// Now is the wall clock. Elapsed is a clock that nobody can set: how long the machine has been running, or the process. Only their
	// relation matters; see package clock.
	Now     func() time.Time
	Elapsed func() time.Duration
	// MaxClockSkew is how far a node's time may be from its wall clock and from its peers' times, checked every ClockInterval.
	MaxClockSkew, ClockInterval time.Duration

	// HeartbeatTimeout is how long a follower waits for its leader before it asks for an election. It must exceed the slowest normal
	// fsync, because heartbeats share raft's main loop. ElectionTimeout bounds one round. LeaseTimeout is how long a leader goes on
	// without a quorum; at most HeartbeatTimeout.
	HeartbeatTimeout, ElectionTimeout, LeaseTimeout time.Duration
	// CommitTimeout is the longest a follower lags behind an idle leader's commit index, about.
	CommitTimeout time.Duration
	// LeaderWait is how long a request that was certainly not executed waits for a leader.
	LeaderWait time.Duration

	// SnapshotThreshold is the number of entries after which a snapshot is taken, checked every SnapshotInterval. TrailingLogs
	// entries stay in the log behind it, for followers that were away; at least twice the threshold.
	SnapshotThreshold, TrailingLogs uint64
	SnapshotInterval                time.Duration
	// SnapshotBytes is the size of the log since the last snapshot that calls for the next one, and of what stays behind a snapshot. A
	// larger state.db raises it to its own size. The log is looked at every CompactionInterval.
	SnapshotBytes      uint64
	CompactionInterval time.Duration
	// SnapshotReplay is how long it may take to apply the log since the last snapshot again; more calls for the next one. A snapshot that takes
	// more than a quarter of it raises it.
	SnapshotReplay time.Duration

	// CheckpointEntries is the number of entries between two digests that each node remembers. The leader compares them every
	// CompareInterval.
	CheckpointEntries uint64
	CompareInterval   time.Duration

	// StabilizationTime is how long a new node must have been healthy before it gets a vote.
	StabilizationTime time.Duration
	// ReconcileInterval is how often the leader compares gossip with raft's configuration when no event asks for it.
	ReconcileInterval time.Duration

	// UnprovenTimeout is how long a non-voter has to answer a leader once. After that it is dropped.
	UnprovenTimeout time.Duration

	// ForgetAfter is how long a node that left the cluster for good is still listed.
	ForgetAfter time.Duration

	// IdempotencyMaxKeys is the capacity of the idempotency store while this node leads. A record takes about 270 bytes, and a large one weighs
	// ceil(bytes/256) of the texts and lists in its answer, so this bounds bytes.
	IdempotencyMaxKeys uint64
	// RatelimitMaxWindows is how many windows of rate limits the ledger may hold while this node leads. A window takes about 220 bytes.
	RatelimitMaxWindows uint64
	// WorkspaceMetrics is of how many workspaces there are metrics; 0: of none.
	WorkspaceMetrics int
	// Tracer makes spans of commands whose context has a span; nil: none are made.
	Tracer trace.Tracer

	// Backups says where this node makes backups of the ledger while it leads.
	Backups backup.Schedule

	Batch batch.Config
	// Turns bounds the CPU of costly requests.
	Turns turns.Config
}

// DefaultConfig returns the defaults of everything that has one.
func DefaultConfig() Config {
	start := time.Now()
	return Config{
		Version: "unknown", LedgerVersions: upgrade.OfThisBuild, Logger: slog.New(slog.DiscardHandler),
		Now: time.Now, Elapsed: func() time.Duration { return time.Since(start) },
		MaxClockSkew: time.Second, ClockInterval: time.Second,
		HeartbeatTimeout: 500 * time.Millisecond, ElectionTimeout: 500 * time.Millisecond, LeaseTimeout: 400 * time.Millisecond,
		CommitTimeout: 10 * time.Millisecond, LeaderWait: 10 * time.Second,
		SnapshotThreshold: 8192, TrailingLogs: 16384, SnapshotInterval: 30 * time.Second,
		SnapshotBytes: 64 << 20, CompactionInterval: time.Second, SnapshotReplay: time.Second,
		CheckpointEntries: 1000, CompareInterval: 5 * time.Second,
		StabilizationTime: 10 * time.Second, ReconcileInterval: 60 * time.Second, UnprovenTimeout: time.Hour, ForgetAfter: 40 * time.Second,
		Backups:            backup.Schedule{Interval: time.Hour, Keep: 24},
		Turns:              turns.Config{MaxWait: turns.DefaultMaxWait},
		IdempotencyMaxKeys: 2_000_000, RatelimitMaxWindows: 4_000_000,
	}
}

// Validate reports every field that cannot work.
func (c *Config) Validate() error {
	errs := []error{c.Backups.Validate()}
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.LedgerVersions.Min < 1 || c.LedgerVersions.Max < c.LedgerVersions.Min || c.LedgerVersions.Max > 255,
		"cluster: LedgerVersions are %d to %d", c.LedgerVersions.Min, c.LedgerVersions.Max)
	bad(c.HoldLedgerVersion != 0 && (c.HoldLedgerVersion < c.LedgerVersions.Min || c.HoldLedgerVersion > c.LedgerVersions.Max),
		"cluster: HoldLedgerVersion is %d, this build reads %d to %d", c.HoldLedgerVersion, c.LedgerVersions.Min, c.LedgerVersions.Max)
	bad(c.Store == nil, "cluster: Store is missing")
	bad(c.PeerListener == nil && (c.GossipAddr != "" || c.AdvertisePeer == ""),
		"cluster: PeerListener is missing; only a node without gossip that has AdvertisePeer can do without")
	bad(c.Logger == nil, "cluster: Logger is missing")
	bad(c.Now == nil, "cluster: Now is missing")
	bad(c.Elapsed == nil, "cluster: Elapsed is missing")
	bad(c.MaxClockSkew < 10*time.Millisecond, "cluster: MaxClockSkew is %v, at least 10ms is needed", c.MaxClockSkew)
	bad(c.ClockInterval <= 0, "cluster: ClockInterval must be positive")
	bad((c.ServerTLS == nil) != (c.ClientTLS == nil), "cluster: ServerTLS and ClientTLS must be given together")
	bad(c.BootstrapExpect != 0 && (c.BootstrapExpect < 0 || c.BootstrapExpect > 7 || c.BootstrapExpect%2 == 0),
		"cluster: BootstrapExpect is %d, must be 1, 3, 5 or 7 (or 0 to join only)", c.BootstrapExpect)
	bad(c.BootstrapExpect > 0 && c.Founding.ClusterID == "", "cluster: Founding is missing")
	bad(c.NonVoter && c.BootstrapExpect > 0, "cluster: a node without a vote founds no cluster: NonVoter excludes BootstrapExpect")
	bad(c.RemoveDeadVoters < 0, "cluster: RemoveDeadVoters must not be negative")
	bad(c.GossipAddr == "" && c.BootstrapExpect != 1, "cluster: GossipAddr is missing; only a single node can do without")
	bad(c.GossipAddr == "" && len(c.Join) > 0, "cluster: Join needs GossipAddr")
	bad(c.HeartbeatTimeout < 5*time.Millisecond, "cluster: HeartbeatTimeout is %v, at least 5ms is needed", c.HeartbeatTimeout)
	bad(c.ElectionTimeout < c.HeartbeatTimeout, "cluster: ElectionTimeout %v is below HeartbeatTimeout %v", c.ElectionTimeout, c.HeartbeatTimeout)
	bad(c.LeaseTimeout < 5*time.Millisecond || c.LeaseTimeout > c.HeartbeatTimeout,
		"cluster: LeaseTimeout is %v, must be between 5ms and HeartbeatTimeout %v", c.LeaseTimeout, c.HeartbeatTimeout)
	bad(c.CommitTimeout < time.Millisecond, "cluster: CommitTimeout is %v, at least 1ms is needed", c.CommitTimeout)
	bad(c.LeaderWait <= 0, "cluster: LeaderWait must be positive")
	bad(c.SnapshotThreshold == 0, "cluster: SnapshotThreshold must be positive")
	bad(c.IdempotencyMaxKeys == 0, "cluster: IdempotencyMaxKeys must be positive")
	bad(c.WorkspaceMetrics < 0, "cluster: WorkspaceMetrics must not be negative")
	bad(c.RatelimitMaxWindows == 0, "cluster: RatelimitMaxWindows must be positive")
	bad(c.TrailingLogs < 2*c.SnapshotThreshold, "cluster: TrailingLogs is %d, must be at least twice SnapshotThreshold %d", c.TrailingLogs, c.SnapshotThreshold)
	bad(c.SnapshotInterval < 5*time.Millisecond, "cluster: SnapshotInterval is %v, at least 5ms is needed", c.SnapshotInterval)
	bad(c.SnapshotBytes < 1<<20, "cluster: SnapshotBytes is %d, at least 1 MiB is needed", c.SnapshotBytes)
	bad(c.SnapshotReplay < 100*time.Millisecond, "cluster: SnapshotReplay is %v, at least 100ms is needed", c.SnapshotReplay)
	bad(c.CompactionInterval <= 0, "cluster: CompactionInterval must be positive")
	bad(c.CheckpointEntries == 0, "cluster: CheckpointEntries must be positive")
	bad(c.CompareInterval <= 0, "cluster: CompareInterval must be positive")
	bad(c.StabilizationTime <= 0, "cluster: StabilizationTime must be positive")
	bad(c.ForgetAfter <= 0, "cluster: ForgetAfter must be positive")
	bad(c.UnprovenTimeout <= 0, "cluster: UnprovenTimeout must be positive")
	bad(c.ReconcileInterval <= 0, "cluster: ReconcileInterval must be positive")
	return errors.Join(errs...)
}
