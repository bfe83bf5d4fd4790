package leader

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/cluster/rpc"
)

// knows is raft with one opinion of who leads.
type knows struct {
	addr raft.ServerAddress
	id   raft.ServerID
}

func (k knows) LeaderWithID() (raft.ServerAddress, raft.ServerID) { return k.addr, k.id }
func (knows) RegisterObserver(*raft.Observer)                     {}
func (knows) DeregisterObserver(*raft.Observer)                   {}

type asConfigured struct{}

func (asConfigured) AddressOf(_ raft.ServerID, configured raft.ServerAddress) string {
	return string(configured)
}

func newFinder(t *testing.T, raft Raft, wait time.Duration) (f *Finder, stop func()) {
	t.Helper()
	pool := peer.NewPool(peer.ClientConfig{})
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	stopping := make(chan struct{})
	return New(Config{
		NodeID: "own", Raft: raft, Addresses: asConfigured{}, Pool: pool,
		Client: rpc.NewClient(pool, func() string { return "" }), Wait: wait, Stopping: stopping,
	}), func() { close(stopping) }
}

var errChanging = fault.New(fault.Unavailable, "The leader is changing")

func TestRetry_RepeatsOnlyWhatWasNotExecuted(t *testing.T) {
	f, _ := newFinder(t, knows{}, time.Minute)
	for _, final := range []error{nil, fault.New(fault.Unknown, ""), fault.New(fault.Overloaded, ""), errors.New("a bug")} {
		left := 3
		require.Equal(t, final, f.Retry(t.Context(), func() error {
			if left--; left > 0 {
				return errChanging
			}
			return final
		}))
		require.Zero(t, left)
	}
}

func TestRetry_GivesUp(t *testing.T) {
	never := func() error { return errChanging }
	f, _ := newFinder(t, knows{}, 50*time.Millisecond)
	require.Equal(t, error(errChanging), f.Retry(t.Context(), never), "after Wait")

	f, stop := newFinder(t, knows{}, time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, error(errChanging), f.Retry(ctx, never), "with its context")
	stop()
	require.Equal(t, error(ErrStopping), f.Retry(t.Context(), never), "with the node")
}

// A change of leader that happens while a try is under way must not be missed.
func TestRetry_SeesAChangeDuringATry(t *testing.T) {
	f, _ := newFinder(t, knows{}, time.Hour)
	began := time.Now()
	tries := 0
	require.NoError(t, f.Retry(t.Context(), func() error {
		if tries++; tries > 100 {
			return nil
		}
		f.Wake()
		return errChanging
	}))
	require.Less(t, time.Since(began), 100*retryPause)
}

func TestCall_NeedsAnotherNodeThatLeads(t *testing.T) {
	m := rpc.Method[rpc.Nothing, rpc.Nothing]{Number: 1, Name: "ping", Request: rpc.Empty, Answer: rpc.Empty}
	for _, raft := range []knows{{}, {addr: "127.0.0.1:1", id: "own"}} {
		f, _ := newFinder(t, raft, time.Hour)
		_, err := Call(t.Context(), f, &m, rpc.Nothing{})
		require.Equal(t, error(ErrNone), err)
	}
	f, _ := newFinder(t, knows{addr: "127.0.0.1:0", id: "other"}, time.Hour)
	_, err := Call(t.Context(), f, &m, rpc.Nothing{})
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "nothing listens there, so nothing was executed")
}
