package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/clock"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/fitness"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/cluster/tracing"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/fsm"
)

// Node is one node of a cluster: it wires its parts and starts and stops them. New has no effects; Start brings the node up; Close may
// be called twice and waits for everything.
type Node struct {
	conf    Config
	log     *slog.Logger
	steady  *slog.Logger // for what is said again while it lasts
	lines   *steadyLines // of steady
	id      string
	replica *replica.Replica
	stages  *stages

	// What openPeerPort and startRaft open.
	mux    *peer.Mux
	pool   *peer.Pool
	link   *peer.Transport
	raft   *raft.Raft
	notify chan bool // raft's NotifyCh

	parts

	names names

	unusable atomic.Bool // Fail was called
	left     sync.Once   // several nodes may tell at once that this one left

	patience patience // while exports and backups wait for a snapshot

	met atomic.Uint64 // the newest ledger version that another node has shown

	ctx        context.Context // ends when the node stops
	cancel     context.CancelFunc
	unhurried  context.Context // ends when the node is about to stop, and its own work rests no more
	hurry      context.CancelFunc
	failed     chan error
	background sync.WaitGroup
	closeOnce  sync.Once
	closeErr   error
}

// New checks the configuration and returns a node that does nothing yet.
func New(conf Config) (*Node, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	if conf.AdvertisePeer == "" {
		conf.AdvertisePeer = conf.PeerListener.Addr().String()
	}
	steady := newSteadyHandler(conf.Logger.Handler(), time.Now)
	n := &Node{
		conf: conf, id: conf.Store.NodeID(),
		log:    conf.Logger.With("node", conf.Store.NodeID()),
		steady: slog.New(steady).With("node", conf.Store.NodeID()), lines: steady.lines,
		stages: newStages(tracing.New(conf.Tracer)),
		notify: make(chan bool, 64), failed: make(chan error, 1),
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.unhurried, n.hurry = context.WithCancel(n.ctx)
	steady.lines.stopping = func() bool { return n.ctx.Err() != nil || n.unusable.Load() }
	n.neighbours = turns.NewNeighbours(func(actor turns.Actor) string { return n.replica.Workspace(actor) })
	turn := conf.Turns
	turn.Shared = n.neighbours.Shared
	n.turns = turns.New(turn)
	n.replica = replica.New(replica.Config{
		Logger: n.log, CheckpointEntries: conf.CheckpointEntries, Fail: n.Fail, RaiseLedgerVersion: conf.Store.RaiseLedgerVersion,
		Applying: n.stages.applying, Applied: n.stages.applied, Configured: n.committed.Add, Calls: n.seeCallers,
		RatelimitMaxWindows: conf.RatelimitMaxWindows, Preloaded: conf.Preloaded,
		Pace: func() replica.Pace { return ownPace{n.turns.Pace(n.patience.least), n.unhurried} },
	})
	return n, nil
}

// seeCallers notes who made the calls of an entry.
func (n *Node) seeCallers(calls []fsm.Call) {
	n.neighbours.SeeAll(func(yield func(turns.Actor) bool) {
		for i := range calls {
			if !yield(calls[i].Actor) {
				return
			}
		}
	})
}

// ID returns the node's id.
func (n *Node) ID() string { return n.id }

// Failed delivers the error after which this node must not go on. The process has to end.
func (n *Node) Failed() <-chan error { return n.failed }

// Fail stops taking part in the cluster at once and reports err to Failed. It is for faults of the disk: a node that cannot write must
// fall silent, or its peers would wait for it (hashicorp/raft#503).
func (n *Node) Fail(err error) {
	n.unusable.Store(true)
	select {
	case n.failed <- err:
		n.log.Error("this node cannot go on", "err", err)
		if n.mux != nil {
			go func() {
				if err := n.mux.Close(); err != nil {
					n.log.Warn("closing the peer port failed", "err", err)
				}
			}()
		}
	default:
	}
}

// Start brings the node up: peer port, raft, gossip. It returns an error where something cannot work, with nothing left running.
// It does not wait for a leader; see Ready.
func (n *Node) Start() error {
	if err := n.start(); err != nil {
		return errors.Join(err, n.Close(context.Background()))
	}
	return nil
}

func (n *Node) start() error {
	n.directory = membership.NewDirectory(n.id)
	if err := n.openPeerPort(); err != nil {
		return err
	}
	if err := n.startRaft(); err != nil {
		return err
	}
	n.directory.Attach(n.raft)
	n.wire()
	departures, err := n.conf.Store.Departures()
	if err == nil {
		err = n.departures.Load(departures)
	}
	if err != nil {
		return fmt.Errorf("which nodes left the cluster: %w", err)
	}
	if own, left := n.departures.Of(n.id); left {
		return n.markLeft(own)
	}
	n.mux.Serve(rpc.NewTable(
		rpc.TableConfig{Context: n.ctx, Build: n.conf.Version, ClusterID: n.clusterID, Admit: n.admit, Logger: n.steady}, n.methods()...).Handle)
	n.mux.Start()
	n.run(func() { n.lines.run(n.ctx) })
	n.run(func() { n.terms.follow(n.ctx) })
	n.run(n.recordClusterID)
	n.run(n.leader.Watch)
	n.run(n.election.Watch)
	n.run(func() { n.standing.Run(n.ctx) })
	n.run(func() { n.fitness.Run(n.ctx) })
	n.run(func() { n.compactor.Run(n.ctx) })
	n.run(func() { n.backups.Run(n.ctx) })
	if n.conf.GossipAddr == "" {
		return n.bootstrap.Single()
	}
	if err := n.gossip.Start(); err != nil {
		return err
	}
	n.run(n.gossip.Watch)
	if err := n.gossip.Join(n.conf.Store.ClusterID()); err != nil { // no node of this cluster is there
		return n.generations.unlessRecovered(n.ctx, err)
	}
	n.run(func() { n.bootstrap.Run(n.ctx) })
	n.run(func() { n.departures.Run(n.ctx) })
	n.run(func() { n.joining.Run(n.ctx) })
	n.run(func() { n.generations.watch(n.ctx) })
	return nil
}

// run starts a background goroutine that Close waits for.
func (n *Node) run(f func()) { n.background.Go(f) }

// recordClusterID keeps the id of the cluster in the data directory and in gossip once the ledger has one.
func (n *Node) recordClusterID() {
	select {
	case id := <-n.replica.Named():
		if err := n.conf.Store.SetClusterID(id); err != nil {
			n.Fail(fmt.Errorf("record the cluster id: %w", err))
			return
		}
		n.gossip.Update()
	case <-n.ctx.Done():
	}
}

// Execute executes a command exactly once: see propose.Proposer.
func (n *Node) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	n.neighbours.See(call.Actor)
	return n.proposer.Execute(ctx, call)
}

// RequestQuota returns the workspace of a root key and how many requests per second it may make, as this node's ledger has it; 0: any number.
func (n *Node) RequestQuota(actor fsm.Hash) (workspaceID string, perSecond int64) {
	return n.replica.RequestQuota(actor)
}

// Caller returns the workspace and the id of a root key, as this node's ledger has it; both are empty if it is unknown.
func (n *Node) Caller(actor fsm.Hash) (workspaceID, rootKeyID string) {
	n.replica.View(func(s *fsm.State) { workspaceID, rootKeyID = s.Caller(actor) })
	return workspaceID, rootKeyID
}

// SetGossipKeys replaces the keys of gossip by those of changed settings: the first encrypts what this node sends, each decrypts what others
// send.
func (n *Node) SetGossipKeys(keys [][]byte) error { return n.gossip.SetKeys(keys) }

// GossipKeys shows the gossip keys of all nodes, by their ids.
func (n *Node) GossipKeys(ctx context.Context) []membership.NodeKeys { return n.gossipKeys.List(ctx) }

// ChangeGossipKeys changes the gossip keys of all nodes, or refuses: see membership.GossipKeys.
func (n *Node) ChangeGossipKeys(ctx context.Context, c membership.KeyChange) (id string, nodes []membership.NodeKeys, err error) {
	return n.gossipKeys.Change(ctx, c)
}

// Operator returns the hash of a root key that may operate the cluster, as this node's ledger has it. ok is false if there is none.
func (n *Node) Operator() (hash fsm.Hash, ok bool) {
	n.replica.View(func(s *fsm.State) { hash, ok = s.Operator() })
	return hash, ok
}

// VerdictBytes is about how many bytes verdicts on keys take in an answer, as this node's ledger has the keys.
func (n *Node) VerdictBytes(keys []fsm.Hash) (bytes int64) {
	n.replica.View(func(s *fsm.State) { bytes = s.VerdictBytes(keys) })
	return bytes
}

// TakeTurn waits until a costly request of a root key's workspace may use the CPU, and returns how to end its turn. Errors are *fault.Error.
func (n *Node) TakeTurn(ctx context.Context, actor fsm.Hash) (end func(), err error) {
	turn, err := n.proposer.TakeTurn(ctx, actor)
	return turn.End, err
}

// LedgerVersion is the version of this node's ledger. It never falls, and may be behind the cluster's.
func (n *Node) LedgerVersion() uint64 { return n.replica.LedgerVersion() }

// Records returns the ledger at an index that is at least minIndex. The caller must close it soon: see store.View.
func (n *Node) Records(ctx context.Context, minIndex uint64) (*Records, error) {
	return n.exports.records(ctx, minIndex)
}

// Snapshot opens the whole ledger at an index that is at least minIndex. The work counts as the actor's. The caller must close it soon.
func (n *Node) Snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (*Snapshot, error) {
	return n.exports.snapshot(ctx, actor, minIndex)
}

// Answer answers a query linearizably: see propose.Proposer.
func (n *Node) Answer(ctx context.Context, actor fsm.Hash, q fsm.Query) (fsm.Result, uint64, error) {
	n.neighbours.See(actor)
	return n.proposer.Answer(ctx, actor, q)
}

// AnswerStale answers a query from this node's ledger once it has applied minIndex.
func (n *Node) AnswerStale(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error) {
	n.neighbours.See(actor)
	return n.proposer.AnswerStale(ctx, actor, q, minIndex)
}

// TransferLeadership transfers leadership to a voter, or to the most suitable one when nodeID is empty.
func (n *Node) TransferLeadership(ctx context.Context, nodeID string) error {
	return n.transfer.Do(ctx, nodeID)
}

// RemoveServer takes a node out of the cluster permanently: see membership.Removal. by says who asks for it.
func (n *Node) RemoveServer(ctx context.Context, nodeID, by string) error {
	return n.removal.Do(ctx, nodeID, by)
}

// Ready returns nil when requests can be expected to succeed here, or a fault that says why not.
func (n *Node) Ready() error {
	if n.ctx.Err() != nil || n.unusable.Load() {
		return leader.ErrStopping
	}
	if err := n.conf.Store.Healthy(); err != nil {
		return fault.Wrap(fault.Unavailable, "The disk does not answer", err)
	}
	current := n.leader.Current()
	switch waits := n.bootstrap.Waits(); {
	case current == "" && waits != nil:
		return waits
	case current == "":
		return leader.ErrNone
	case string(current) == n.id && !n.Leads() && !n.fitness.MayStamp():
		return fitness.ErrClock
	case string(current) == n.id && !n.Leads():
		return fault.New(fault.Unavailable, "This node was elected and is still applying earlier entries")
	case n.replica.ClusterID() == "":
		return fault.New(fault.Unavailable, "This node has replicated nothing from the leader yet")
	}
	return n.standing.Check()
}

// Leads reports whether this node leads and serves.
func (n *Node) Leads() bool { return n.proposer.Serves() }

// Clock returns what this node knows about its time.
func (n *Node) Clock() clock.Status { return n.fitness.Clock() }

// Digest returns the digest of this node's ledger and the index at which it was taken.
func (n *Node) Digest() (index uint64, digest string) {
	index, d := n.replica.Digest()
	return index, d.String()
}

// Bootstrapped reports whether this process bootstrapped the ledger, with the root key of its own configuration.
func (n *Node) Bootstrapped() bool { return n.terms.bootstrapped.Load() }

// HandOver lets another node lead, if this one does and there is another to take over. It serves on as a follower.
func (n *Node) HandOver(ctx context.Context) { n.transfer.BeforeStop(ctx) }

// SaveForRestart begins a snapshot if the next start would apply much of the log again. The node serves on meanwhile. wait waits for the end of the
// snapshot, which rests no more from then on, or of ctx, and at most twice as long as applying again would take.
func (n *Node) SaveForRestart() (wait func(ctx context.Context)) {
	ctx, giveUp := context.WithCancel(n.ctx)
	most := 2 * n.replica.Replay()
	saved := make(chan struct{})
	n.run(func() {
		defer close(saved)
		n.compactor.BeforeStop(ctx)
	})
	return func(ctx context.Context) {
		defer giveUp()
		n.hurry()
		ctx, cancel := context.WithTimeout(ctx, most)
		defer cancel()
		select {
		case <-saved:
		case <-ctx.Done():
		}
	}
}

// Close leaves cleanly: it transfers leadership, answers everyone who waits, and stops. ctx bounds the transfer, not the stopping. The
// store is closed as well.
func (n *Node) Close(ctx context.Context) error {
	n.closeOnce.Do(func() { n.closeErr = n.close(ctx) })
	return n.closeErr
}

func (n *Node) close(ctx context.Context) error {
	started := n.terms != nil // else there is no more than what Start had opened before it failed
	if started {
		n.transfer.BeforeStop(ctx)
	}
	n.cancel()
	n.conf.Store.StopSnapshots() // raft waits for them
	var errs []error
	if started {
		n.leader.Wake()
		errs = append(errs, n.gossip.Close())
		n.proposer.Close()
	}
	if n.raft != nil {
		errs = append(errs, n.raft.Shutdown().Error())
	}
	n.background.Wait()
	if n.pool != nil {
		errs = append(errs, n.pool.Close())
	}
	if n.link != nil {
		errs = append(errs, n.link.Close())
	}
	if n.mux != nil {
		errs = append(errs, n.mux.Close())
	} else if n.conf.PeerListener != nil {
		errs = append(errs, n.conf.PeerListener.Close())
	}
	errs = append(errs, n.conf.Store.Close())
	return errors.Join(errs...)
}
