package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/compaction"
	"github.com/creditd/creditd/cluster/fitness"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/propose"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/cluster/upgrade"
)

// parts are what a node consists of. Each is built from those above it.
type parts struct {
	directory  *membership.Directory
	client     *rpc.Client
	leader     *leader.Finder
	transfer   *membership.Transfer
	fitness    *fitness.Monitor
	comparer   *fitness.Comparer
	proposer   *propose.Proposer
	neighbours *turns.Neighbours
	turns      *turns.Turns
	compactor  *compaction.Compactor
	gossip     *membership.Gossip
	gossipKeys *membership.GossipKeys
	bootstrap  *membership.Bootstrap
	committed  membership.Committed
	departures *membership.Departures
	removal    *membership.Removal
	reporter   *membership.Reporter
	standing   *membership.Standing
	reconciler *membership.Reconciler
	election   *membership.FastElection
	raiser     *upgrade.Raiser
	joining    *upgrade.Joining
	terms      *terms
	exports    *exports
	backups    *backup.Keeper

	generations *generationWatch
}

// wire builds the parts. A part that needs one further down gets it as a function.
func (n *Node) wire() {
	n.client = rpc.NewClient(n.pool, n.clusterID)
	n.leader = leader.New(leader.Config{
		NodeID: raft.ServerID(n.id), Raft: n.raft, Addresses: n.directory, Pool: n.pool, Client: n.client,
		Wait: n.conf.LeaderWait, Stopping: n.ctx.Done(),
	})
	base := membership.Base{
		NodeID: n.id, PeerAddr: n.conf.AdvertisePeer, Raft: n.raft, Directory: n.directory, Client: n.client,
		Logger: n.log, Steady: n.steady, Stopping: n.ctx.Done(), Changing: new(sync.Mutex),
	}
	n.transfer = &membership.Transfer{
		Base: base, Leader: n.leader, Serves: n.Leads, Timeout: n.conf.ElectionTimeout,
	}
	n.compactor = compaction.New(compaction.Config{
		Raft: n.raft, Log: n.conf.Store, SnapshotBytes: n.conf.SnapshotBytes, Replay: n.replica.Replay,
		SnapshotReplay: n.conf.SnapshotReplay, TrailingLogs: n.conf.TrailingLogs,
		Interval: n.conf.CompactionInterval, Logger: n.log,
	})
	n.wireLedger()
	n.wireMembership(base)
	n.wireUpgrade()
	n.wireBackups()
	n.terms = &terms{
		log: n.log, notify: n.notify, raft: n.raft, replica: n.replica, founding: &n.conf.Founding, leader: n.leader, fitness: n.fitness,
		comparer: n.comparer, proposer: n.proposer, raiser: n.raiser,
	}
	if n.conf.GossipAddr != "" {
		n.terms.reconciler = n.reconciler
	}
}

// wireLedger builds what proposes and who may.
func (n *Node) wireLedger() {
	n.fitness = fitness.New(fitness.Config{
		NodeID: n.id, Now: n.conf.Now, Elapsed: n.conf.Elapsed, MaxClockSkew: n.conf.MaxClockSkew, Interval: n.conf.ClockInterval,
		DiskFull: n.conf.Store.DiskFull, Cluster: n.directory, Client: n.client, Transfer: n.transfer.Here, Logger: n.log, Steady: n.steady,
		LogTime: n.replica.Clock, Leads: n.Leads,
	})
	n.comparer = &fitness.Comparer{
		NodeID: n.id, Interval: n.conf.CompareInterval, Checkpoints: n.replica.Checkpoints, Cluster: n.directory,
		Client: n.client, Stop: n.stopDiverged, Logger: n.steady,
	}
	batch := n.conf.Batch
	batch.Waited = n.stages.waited
	n.proposer = propose.New(propose.Config{
		NodeID: n.id, Raft: n.raft, Ledger: n.replica, Fitness: n.fitness, Leader: n.leader, Batch: batch, Proposing: n.stages.proposing, Turns: n.turns, Traces: n.stages.traces,
		Behind:             func(version uint64) string { return n.raiser.Behind(version) },
		IdempotencyMaxKeys: n.conf.IdempotencyMaxKeys, Stopping: n.ctx.Done(),
	})
}

// wireMembership builds what decides who belongs to the cluster.
func (n *Node) wireMembership(base membership.Base) {
	n.gossip = membership.NewGossip(membership.GossipConfig{
		NodeID: n.id, Addr: n.conf.GossipAddr, AdvertiseAddr: n.conf.AdvertiseGossip, Key: n.conf.GossipKey, OtherKeys: n.conf.GossipOtherKeys,
		Kept: n.conf.Store.GossipKeys, Keep: n.conf.Store.SaveGossipKeys,
		Insecure: n.conf.InsecureGossip, Join: n.conf.Join, Describe: n.describe, Directory: n.directory,
		Logger: n.steady, Stopping: n.ctx.Done(),
	})
	n.gossipKeys = &membership.GossipKeys{
		Base: base, Leader: n.leader, Serves: n.Leads, Gossip: n.gossip, Name: n.conf.Name, Sealed: n.conf.ServerTLS != nil, Term: n.raft.CurrentTerm,
	}
	n.departures = &membership.Departures{
		Base: base, Gossip: n.gossip, Committed: &n.committed, Keep: n.conf.Store.SaveDepartures, Leave: func(d membership.Departure) { n.leave(func() error { return n.markLeft(d) }) }, Fail: n.Fail,
		ForgetAfter: n.conf.ForgetAfter,
	}
	n.removal = &membership.Removal{
		Base: base, Leader: n.leader, Serves: n.Leads, Transfer: n.transfer, Departures: n.departures,
	}
	n.reporter = &membership.Reporter{Base: base, Self: n.report}
	n.bootstrap = &membership.Bootstrap{
		Base: base, Expect: n.conf.BootstrapExpect, HasState: n.conf.Store.HasState, Announce: n.gossip.Update, Stand: n.standForElection,
		Fail: n.Fail, Reporter: n.reporter,
	}
	n.standing = &membership.Standing{Base: base, NonVoter: n.conf.NonVoter, Serves: n.Leads, Reporter: n.reporter}
	n.reconciler = &membership.Reconciler{
		Base: base, Interval: n.conf.ReconcileInterval, Changed: n.gossip.Changed(), Blocked: n.removal.Blocked, Reporter: n.reporter,
		LedgerVersion:   n.replica.LedgerVersion,
		UnprovenTimeout: n.conf.UnprovenTimeout, Departures: n.departures, Removal: n.removal, DeadAfter: n.conf.RemoveDeadVoters,
		StabilizationTime: n.conf.StabilizationTime, ContactThreshold: n.conf.HeartbeatTimeout, AutopilotLogger: raftLogger(n.steady),
	}
	n.generations = &generationWatch{
		nodeID: n.id, clusterID: n.clusterID, directory: n.directory, reporter: n.reporter, leader: n.leader.Current,
		patience: 3*n.conf.ElectionTimeout + n.conf.HeartbeatTimeout, leave: n.leave, removed: n.markRemoved, logger: n.steady,
	}
	n.election = &membership.FastElection{
		Base: base, HeartbeatTimeout: n.conf.HeartbeatTimeout, Dial: n.dialer().DialCalls,
		MayStand: func() bool { return !n.Clock().Far }, Stand: n.standForElection,
	}
}

// upgradeInterval is how often the leader looks whether the ledger version can rise.
const upgradeInterval = time.Second

// wireUpgrade builds what raises the ledger version, and what keeps this node out of a cluster that it cannot read.
func (n *Node) wireUpgrade() {
	n.raiser = upgrade.New(upgrade.Config{
		Self: upgrade.Node{Build: n.conf.Version, Reads: n.reads()}, Interval: upgradeInterval,
		Current: n.replica.LedgerVersion, Servers: n.directory.Servers, Members: n.directory.Members, Ask: n.announcements,
		Raise: n.proposer.RaiseLedgerVersion, Logger: n.log,
	})
	n.joining = &upgrade.Joining{
		Self: upgrade.Node{Build: n.conf.Version, Reads: n.conf.LedgerVersions}, Interval: upgradeInterval,
		Joined: func() bool { return n.directory.Server(n.id) != nil }, Ask: n.ledgersOfMembers, Met: n.meet, Fail: n.Fail,
	}
}

// reads are the ledger versions that this node announces. A hold counts as if the build read no newer one than the ledger has, so that
// every leader waits for this node.
func (n *Node) reads() upgrade.Range {
	r := n.conf.LedgerVersions
	if n.conf.HoldLedgerVersion > 0 {
		r.Max = min(r.Max, max(n.conf.HoldLedgerVersion, n.replica.LedgerVersion(), n.met.Load()))
	}
	return r
}

// meet notes the ledger version of another node. Beyond a hold it changes what this node announces.
func (n *Node) meet(version uint64) {
	before := n.reads()
	n.met.Store(max(n.met.Load(), version))
	if n.reads() != before {
		n.gossip.Update()
	}
}

// ledgersOfMembers asks all members which ledger version they have.
func (n *Node) ledgersOfMembers(ctx context.Context) map[string]upgrade.Ledger {
	addrs := make(map[string]string)
	for _, m := range n.directory.Members() {
		if !m.Self && m.Eligible() {
			addrs[m.ID] = m.PeerAddr
		}
	}
	ledgers := make(map[string]upgrade.Ledger, len(addrs))
	for id, r := range n.reporter.Ask(ctx, addrs) {
		ledgers[id] = upgrade.Ledger{Version: r.LedgerVersion, Build: r.Version}
	}
	return ledgers
}

// announcements asks all servers which ledger versions they read.
func (n *Node) announcements(ctx context.Context) map[string]upgrade.Node {
	addrs := make(map[string]string)
	for _, s := range n.directory.Servers() {
		addrs[string(s.ID)] = n.directory.AddressOf(s.ID, s.Address)
	}
	nodes := make(map[string]upgrade.Node, len(addrs))
	for id, r := range n.reporter.Ask(ctx, addrs) {
		nodes[id] = upgrade.Node{Build: r.Version, Reads: upgrade.Range{Min: r.MinLedger, Max: r.MaxLedger}}
	}
	return nodes
}

// clusterID returns the id of the cluster, "" while there is none. After a restart the ledger has none until entries are applied.
func (n *Node) clusterID() string { return cmp.Or(n.replica.ClusterID(), n.conf.Store.ClusterID()) }

// describe is what this node tells the others through gossip.
func (n *Node) describe() gossip.Meta {
	reads := n.reads()
	return gossip.Meta{
		ClusterID: n.conf.Store.ClusterID(), PeerAddr: n.conf.AdvertisePeer, HTTPAddr: n.conf.AdvertiseHTTP,
		Expect: n.conf.BootstrapExpect, Version: n.conf.Version, MinLedger: uint8(reads.Min), MaxLedger: uint8(reads.Max),
		Bootstrapped: n.raft.LastIndex() > 0,
	}
}

// leave stops this node, which left for good, with the error of what marks its data directory.
func (n *Node) leave(mark func() error) {
	n.left.Do(func() { n.Fail(mark()) })
}

// markLeft marks the data directory, so that no restart campaigns or waits without end, and returns the error to stop with. A node that never
// counted since its start had left before: the time of d is another node's.
func (n *Node) markLeft(d membership.Departure) error {
	return n.markRemoved(fmt.Sprintf("%s left cluster %s for good: it was %s", n.id, n.clusterID(), d))
}

func (n *Node) markRemoved(report string) error {
	err := n.conf.Store.MarkRemoved(report)
	if !n.standing.Counted() {
		err = removedBefore{err}
	}
	return err
}

// ErrRemovedBefore is in the error of a node that had left its cluster for good when it was started.
var ErrRemovedBefore = errors.New("the node had left its cluster before it was started")

// removedBefore adds ErrRemovedBefore to an error, and nothing to its text.
type removedBefore struct{ error }

func (r removedBefore) Unwrap() []error { return []error{r.error, ErrRemovedBefore} }

// stopDiverged marks the data directory, so that no restart takes part again, and stops.
func (n *Node) stopDiverged(d fitness.Divergence) {
	n.Fail(n.conf.Store.MarkDiverged(d.String(), d.Right == ""))
}
