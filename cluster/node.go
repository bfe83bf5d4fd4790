package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/store"
)

type peerDial = func(ctx context.Context, addr string) (net.Conn, error)

// Node is one member of a cluster. New has no effects; Start brings it up; Close may be called twice and waits for everything.
type Node struct {
	conf      Config
	log       *slog.Logger
	id        string
	replica   *replica.Replica
	raft      *raft.Raft
	raftReady chan struct{} // closed once raft is set
	mux       *peer.Mux
	link      *peer.Transport
	pool      *peer.Pool
	clocks    *clocks
	rounds    rounds
	tickets   tickets
	waiters   sync.Pool // of waiter
	proposed  proposed

	gossip        atomic.Pointer[gossip.Gossip]   // nil on a node that keeps to itself
	members       atomic.Pointer[[]gossip.Member] // what gossip last said
	gossipChanged chan struct{}                   // holds a token when members has changed

	banished sync.Map // node id to the time.Time until which it is not taken in again

	// batcher is the present term's, nil unless this node leads and has applied everything of earlier terms.
	batcher atomic.Pointer[batch.Batcher]

	mu      sync.Mutex
	changed chan struct{} // guarded by mu: closed and replaced whenever who leads may have changed
	founded bool          // guarded by mu: the ledger was founded with our Founding

	leadership chan bool // raft's NotifyCh
	stopping   chan struct{}
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
	n := &Node{
		conf: conf, id: conf.Store.NodeID(), log: conf.Logger.With("node", conf.Store.NodeID()),
		changed: make(chan struct{}), leadership: make(chan bool, 64),
		raftReady: make(chan struct{}), gossipChanged: make(chan struct{}, 1), stopping: make(chan struct{}), failed: make(chan error, 1),
	}
	n.replica = replica.New(replica.Config{Logger: n.log, CheckpointEntries: conf.CheckpointEntries, Fail: n.Fail})
	n.clocks = newClocks(conf)
	n.rounds.ask = n.askReadIndex
	n.tickets.open = n.openSession
	return n, nil
}

// ID returns the node's id.
func (n *Node) ID() string { return n.id }

// Failed delivers the error after which this node must not go on. The process has to end.
func (n *Node) Failed() <-chan error { return n.failed }

// Fail stops taking part in the cluster at once and reports err to Failed. For faults of the disk: a node that cannot write must
// fall silent, or its peers would wait for it (hashicorp/raft#503).
func (n *Node) Fail(err error) {
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
	if err := n.openPeerPort(); err != nil {
		return err
	}
	if err := n.startRaft(); err != nil {
		return err
	}
	n.mux.Serve(peer.HandlerFunc(n.handle))
	n.mux.Start()
	n.run(n.followLeadership)
	n.run(n.recordClusterID)
	n.run(n.watchLeader)
	n.run(n.watchForDeath)
	n.run(n.watchClock)
	if n.conf.GossipAddr == "" {
		return n.foundAlone()
	}
	return n.startGossip()
}

// run starts a background goroutine that Close waits for.
func (n *Node) run(f func()) {
	n.background.Add(1)
	go func() {
		defer n.background.Done()
		f()
	}()
}

func (n *Node) openPeerPort() error {
	mux, err := peer.NewMux(peer.MuxConfig{
		Listener: n.conf.PeerListener, NodeID: n.id, Advertise: n.conf.AdvertisePeer, TLS: n.conf.ServerTLS,
		Dialer: n.dialer(), Logger: n.log,
	})
	if err != nil {
		return fmt.Errorf("open the peer port: %w", err)
	}
	n.mux = mux
	n.pool = peer.NewPool(peer.ClientConfig{Dialer: n.dialer()})
	return nil
}

func (n *Node) dialer() peer.Dialer { return peer.Dialer{Dial: n.conf.Dial, TLS: n.conf.ClientTLS} }

func (n *Node) startRaft() error {
	logger := raftLogger(n.log)
	n.link = peer.NewTransport(n.mux.RaftLayer(), addressBook{n}, n.conf.HeartbeatTimeout*10, n.conf.ElectionTimeout, logger)
	s := n.conf.Store
	r, err := raft.NewRaft(n.raftConfig(), n.replica, raftLogStore(s), s.Stable(), n.replica.Snapshots(s.Snapshots()), n.link)
	if err != nil {
		select {
		case err = <-n.failed: // the ledger knows why the snapshot does not load, and raft does not pass it on
		default:
		}
		return fmt.Errorf("start raft on %s: %w", n.conf.AdvertisePeer, err)
	}
	n.raft = r
	close(n.raftReady)
	return nil
}

func (n *Node) raftConfig() *raft.Config {
	c := raft.DefaultConfig()
	c.LocalID = raft.ServerID(n.id)
	c.HeartbeatTimeout = n.conf.HeartbeatTimeout
	c.ElectionTimeout = n.conf.ElectionTimeout
	c.LeaderLeaseTimeout = n.conf.LeaseTimeout
	c.CommitTimeout = n.conf.CommitTimeout
	c.SnapshotThreshold = n.conf.SnapshotThreshold
	c.SnapshotInterval = n.conf.SnapshotInterval
	c.TrailingLogs = n.conf.TrailingLogs
	c.NotifyCh = n.leadership
	c.Logger = raftLogger(n.log)
	c.ShutdownOnRemove = false
	c.NoLegacyTelemetry = true
	return c
}

// logCacheEntries is how many recent entries are kept in memory for followers.
const logCacheEntries = 512

// raftLogStore puts raft's cache in front of the log.
func raftLogStore(s *store.Store) raft.LogStore {
	cache, err := raft.NewLogCache(logCacheEntries, s.Log())
	if err != nil {
		panic(fmt.Sprintf("cluster: %v", err)) // the size is a positive constant
	}
	return cache
}

// recordClusterID keeps the id of the cluster in the data directory and in gossip once the ledger has one.
func (n *Node) recordClusterID() {
	select {
	case id := <-n.replica.Named():
		if err := n.conf.Store.SetClusterID(id); err != nil {
			n.Fail(fmt.Errorf("record the cluster id: %w", err))
			return
		}
		n.updateGossip()
	case <-n.stopping:
	}
}

// Ready returns nil when requests can be expected to succeed here, or a fault that says why not.
func (n *Node) Ready() error {
	select {
	case <-n.stopping:
		return errStopping
	default:
	}
	if err := n.conf.Store.Healthy(); err != nil {
		return fault.Wrap(fault.Unavailable, "The disk does not answer", err)
	}
	_, id := n.raft.LeaderWithID()
	switch {
	case id == "":
		return noLeader
	case string(id) == n.id && n.batcher.Load() == nil && !n.mayStamp():
		return errClock
	case string(id) == n.id && n.batcher.Load() == nil:
		return fault.New(fault.Unavailable, "This node was elected and is still applying earlier entries")
	case n.clusterID() == "":
		return fault.New(fault.Unavailable, "Nothing was replicated from the leader yet")
	}
	return nil
}

// Leads reports whether this node leads and serves.
func (n *Node) Leads() bool { return n.batcher.Load() != nil }

// Digest returns the digest of this node's ledger and the index at which it was taken.
func (n *Node) Digest() (index uint64, digest string) {
	index, d := n.replica.Digest()
	return index, d.String()
}

// Founded reports whether this process founded the ledger, with the root key of its own configuration.
func (n *Node) Founded() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.founded
}

// Close leaves in good order: hands leadership over, answers everyone who waits, and stops. ctx bounds the courtesy, not the
// stopping. The store is closed as well.
func (n *Node) Close(ctx context.Context) error {
	n.closeOnce.Do(func() { n.closeErr = n.close(ctx) })
	return n.closeErr
}

func (n *Node) close(ctx context.Context) error {
	if n.raft != nil {
		n.handOver(ctx)
	}
	close(n.stopping)
	n.wakeWaiting()
	var errs []error
	if g := n.gossip.Load(); g != nil {
		if err := g.Leave(leaveTimeout); err != nil {
			n.log.Warn("leaving gossip failed", "err", err)
		}
		errs = append(errs, g.Close())
	}
	if b := n.batcher.Load(); b != nil {
		b.Close()
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
	} else {
		errs = append(errs, n.conf.PeerListener.Close())
	}
	errs = append(errs, n.conf.Store.Close())
	return errors.Join(errs...)
}

// leaveTimeout bounds how long a leaving node waits for its goodbye to spread.
const leaveTimeout = time.Second

// handOver gives leadership to a peer, if there is one to take it, so that a planned stop costs no election.
func (n *Node) handOver(ctx context.Context) {
	if n.raft.State() != raft.Leader || n.otherVoters() == 0 {
		return
	}
	transfer := n.raft.LeadershipTransfer()
	done := make(chan error, 1)
	go func() { done <- transfer.Error() }()
	select {
	case err := <-done:
		if err != nil {
			n.log.Warn("nobody took leadership over", "err", err)
		}
	case <-ctx.Done():
		n.log.Warn("gave up handing leadership over", "err", ctx.Err())
	case <-time.After(n.conf.ElectionTimeout):
		n.log.Warn("gave up handing leadership over", "after", n.conf.ElectionTimeout)
	}
}

// await returns a channel that is closed when who leads may have changed.
func (n *Node) await() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.changed
}

func (n *Node) wakeWaiting() {
	n.mu.Lock()
	defer n.mu.Unlock()
	close(n.changed)
	n.changed = make(chan struct{})
}

// watchLeader wakes waiting requests when raft learns of another leader. Calls that still wait for the previous one, which may be
// paused or cut off without its connection breaking, are given up, to be sent again to the new one.
func (n *Node) watchLeader() {
	observed := make(chan raft.Observation, 16)
	observer := raft.NewObserver(observed, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	})
	n.raft.RegisterObserver(observer)
	defer n.raft.DeregisterObserver(observer)
	var previous string
	for {
		select {
		case <-observed:
			if addr, id := n.raft.LeaderWithID(); id != "" {
				now := n.addressOf(id, addr)
				if previous != "" && previous != now {
					n.pool.Remove(previous)
				}
				previous = now
			}
			n.wakeWaiting()
		case <-n.stopping:
			return
		}
	}
}

var errStopping = fault.New(fault.Unavailable, "The node is stopping")
