package logcache

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// counted is a log in memory that counts how often an entry is read from it.
type counted struct {
	*raft.InmemStore
	reads  int
	refuse error
}

func (c *counted) GetLog(index uint64, entry *raft.Log) error {
	c.reads++
	return c.InmemStore.GetLog(index, entry)
}

func (c *counted) StoreLogs(entries []*raft.Log) error {
	if c.refuse != nil {
		return c.refuse
	}
	return c.InmemStore.StoreLogs(entries)
}

func (c *counted) IsMonotonic() bool { return true }

func newCache(limits Limits) (*Cache, *counted) {
	store := &counted{InmemStore: raft.NewInmemStore()}
	return New(store, limits), store
}

func entry(index uint64, size int) *raft.Log {
	return &raft.Log{Index: index, Term: 1, Data: make([]byte, size)}
}

// fromMemory reports whether an entry comes from the cache.
func fromMemory(t *testing.T, c *Cache, store *counted, index uint64) bool {
	t.Helper()
	var e raft.Log
	before := store.reads
	require.NoError(t, c.GetLog(index, &e))
	require.Equal(t, index, e.Index)
	return store.reads == before
}

func TestCache_KeepsTheNewestWithinBothLimits(t *testing.T) {
	c, store := newCache(Limits{Entries: 4, Bytes: 100})
	for i := range uint64(10) {
		require.NoError(t, c.StoreLog(entry(i+1, 10)))
	}
	for index, cached := range map[uint64]bool{6: false, 7: true, 10: true} {
		require.Equal(t, cached, fromMemory(t, c, store, index), index)
	}
	require.NoError(t, c.StoreLogs([]*raft.Log{entry(11, 45), entry(12, 45)}))
	for index, cached := range map[uint64]bool{9: false, 10: true, 11: true, 12: true} {
		require.Equal(t, cached, fromMemory(t, c, store, index), index)
	}
	require.Equal(t, 100, c.bytes)
	require.NoError(t, c.StoreLog(entry(13, 101)))
	require.Zero(t, c.bytes, "an entry that is too large leaves nothing beside it")
	require.False(t, fromMemory(t, c, store, 13))
	require.NoError(t, c.StoreLog(entry(14, 1)))
	require.True(t, fromMemory(t, c, store, 14))
}

// An entry that was not written, or was deleted, or was replaced, is never served.
func TestCache_ServesOnlyWhatTheStoreHas(t *testing.T) {
	c, store := newCache(Limits{Entries: 8, Bytes: 1 << 10})
	require.NoError(t, c.StoreLogs([]*raft.Log{entry(1, 1), entry(2, 1), entry(3, 1)}))
	store.refuse = errors.New("disk")
	require.ErrorIs(t, c.StoreLog(entry(4, 1)), store.refuse)
	require.ErrorIs(t, c.GetLog(4, new(raft.Log)), raft.ErrLogNotFound)
	store.refuse = nil

	require.NoError(t, c.DeleteRange(2, 3))
	require.ErrorIs(t, c.GetLog(3, new(raft.Log)), raft.ErrLogNotFound)
	require.NoError(t, c.StoreLog(&raft.Log{Index: 2, Term: 7}))
	var e raft.Log
	require.NoError(t, c.GetLog(2, &e))
	require.EqualValues(t, 7, e.Term)
	require.True(t, c.IsMonotonic())
}

// A random history reads as from the store alone, and the bytes are those of the entries that are kept.
func TestCache_AgreesWithTheStore(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	c, store := newCache(Limits{Entries: 16, Bytes: 200})
	last, term := uint64(0), uint64(1)
	for range 5000 {
		switch rng.IntN(8) {
		case 0: // a new leader replaces the end
			if last > 0 {
				low := 1 + rng.Uint64N(last)
				require.NoError(t, c.DeleteRange(low, last))
				last, term = low-1, term+1
			}
		case 1: // the log goes on behind a received snapshot
			last += rng.Uint64N(3)
		default:
			var entries []*raft.Log
			for range 1 + rng.IntN(5) {
				last++
				entries = append(entries, &raft.Log{Index: last, Term: term, Data: make([]byte, rng.IntN(90))})
			}
			require.NoError(t, c.StoreLogs(entries))
		}
		var got, want raft.Log
		at := rng.Uint64N(last + 2)
		require.Equal(t, store.InmemStore.GetLog(at, &want), c.GetLog(at, &got))
		require.Equal(t, want, got)
		kept := 0
		for i := range c.ring {
			kept += len(c.ring[i].Data)
		}
		require.Equal(t, kept, c.bytes)
		require.LessOrEqual(t, kept, 200)
	}
}

// raft passes a pointer into the future of an entry. Whoever keeps it keeps all results of the entry.
func TestCache_KeepsNoFutureAlive(t *testing.T) {
	c, _ := newCache(Limits{Entries: 4, Bytes: 100})
	gone := make(chan struct{})
	func() {
		future := &struct {
			log     raft.Log
			results []byte
		}{log: raft.Log{Index: 1}, results: make([]byte, 1<<20)}
		runtime.AddCleanup(future, func(done chan struct{}) { close(done) }, gone)
		c.store = forgetful{c.store}
		require.NoError(t, c.StoreLog(&future.log))
	}()
	require.Eventually(t, func() bool {
		runtime.GC()
		select {
		case <-gone:
			return true
		default:
			return false
		}
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, c.GetLog(1, new(raft.Log)))
}

// forgetful is a store that takes entries and keeps none, so that only the cache can.
type forgetful struct{ raft.LogStore }

func (forgetful) StoreLogs([]*raft.Log) error { return nil }
