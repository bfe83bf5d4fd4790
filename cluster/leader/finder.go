package leader

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/rpc"
)

// Raft is what a Finder asks of raft.
type Raft interface {
	LeaderWithID() (raft.ServerAddress, raft.ServerID)
	RegisterObserver(*raft.Observer)
	DeregisterObserver(*raft.Observer)
}

// Addresses tells where a server is now, given the address in raft's configuration.
type Addresses interface {
	AddressOf(id raft.ServerID, configured raft.ServerAddress) string
}

// Config is what a Finder needs.
type Config struct {
	NodeID    raft.ServerID
	Raft      Raft
	Addresses Addresses
	Pool      *peer.Pool
	Client    *rpc.Client
	Wait      time.Duration   // how long Retry waits for a leader
	Stopping  <-chan struct{} // closed when the node stops
}

// Finder follows the leader.
type Finder struct {
	conf Config

	mu      sync.Mutex
	changed chan struct{} // guarded by mu: closed and replaced whenever who leads may have changed

	changes atomic.Uint64 // other leaders that were seen
}

// New returns a finder. Watch makes it notice changes at once.
func New(conf Config) *Finder { return &Finder{conf: conf, changed: make(chan struct{})} }

// Current returns the id of the leader that raft knows, "" if none.
func (f *Finder) Current() raft.ServerID {
	_, id := f.conf.Raft.LeaderWithID()
	return id
}

// Changes returns how often another node was found to lead than before, the first leader included.
func (f *Finder) Changes() uint64 { return f.changes.Load() }

// awaitChange returns a channel that is closed when who leads may have changed.
func (f *Finder) awaitChange() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// Wake lets every waiting Retry try again: who leads may have changed.
func (f *Finder) Wake() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

// Watch wakes waiting requests when raft learns of another leader, until the node stops. Calls that still wait for the previous leader end
// and are sent again to the new one. The previous leader may be paused or cut off without a broken connection.
func (f *Finder) Watch() {
	observed := make(chan raft.Observation, 16)
	observer := raft.NewObserver(observed, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	})
	f.conf.Raft.RegisterObserver(observer)
	defer f.conf.Raft.DeregisterObserver(observer)
	var previous string
	var last raft.ServerID
	for {
		select {
		case <-observed:
			if addr, id := f.conf.Raft.LeaderWithID(); id != "" {
				if id != last {
					f.changes.Add(1)
				}
				last = id
				now := f.conf.Addresses.AddressOf(id, addr)
				if previous != "" && previous != now {
					f.conf.Pool.Remove(previous)
				}
				previous = now
			}
			f.Wake()
		case <-f.conf.Stopping:
			return
		}
	}
}

// retryPause is how long Retry waits before it tries again although no change of leader was seen.
const retryPause = 20 * time.Millisecond

// Retry repeats try while it fails with fault.Unavailable, each time after who leads may have changed, for Config.Wait at most.
func (f *Finder) Retry(ctx context.Context, try func() error) error {
	changed := f.awaitChange()
	err := try()
	if err == nil || fault.KindOf(err) != fault.Unavailable {
		return err
	}
	giveUp := time.NewTimer(f.conf.Wait)
	defer giveUp.Stop()
	for {
		select {
		case <-changed:
		case <-time.After(retryPause):
		case <-giveUp.C:
			return err
		case <-f.conf.Stopping:
			return ErrStopping
		case <-ctx.Done():
			return err
		}
		changed = f.awaitChange()
		if err = try(); err == nil || fault.KindOf(err) != fault.Unavailable {
			return err
		}
	}
}

// Backoff waits a moment before something is tried again, and reports whether ctx goes on.
func Backoff(ctx context.Context) bool {
	select {
	case <-time.After(retryPause):
		return true
	case <-ctx.Done():
		return false
	}
}

var (
	// ErrNone is the fault of a request that found no leader.
	ErrNone = fault.New(fault.Unavailable, "There is no leader at the moment")
	// ErrStopping is the fault of a request at a node that stops.
	ErrStopping = fault.New(fault.Unavailable, "The node is stopping")
)
