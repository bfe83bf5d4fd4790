// Package logcache keeps the newest log entries in memory, so that a leader can send them without reading its disk.
//
// A cache is bounded by bytes as well as by entries, because one entry may have a few bytes or several megabytes. It copies each entry:
// raft hands over pointers into its futures, and such a pointer would keep the future alive, with the results of all its calls.
package logcache

import (
	"sync"

	"github.com/hashicorp/raft"
)

// Limits is how much a cache keeps. Both limits hold.
type Limits struct {
	Entries int
	Bytes   int // of the entries' data and extensions
}

// Cache is a log store with its newest entries in memory. Its methods may be called from several goroutines, as those of the store below.
type Cache struct {
	store  raft.LogStore
	limits Limits

	mu    sync.RWMutex
	ring  []raft.Log // the entry with index i stands at i modulo the length; guarded by mu
	first uint64     // of the entries in the ring; guarded by mu
	next  uint64     // the index behind the last one; equal to first if there is none; guarded by mu
	bytes int        // guarded by mu
}

var (
	_ raft.LogStore          = (*Cache)(nil)
	_ raft.MonotonicLogStore = (*Cache)(nil)
)

// New returns an empty cache in front of a store. The limits must be positive.
func New(store raft.LogStore, limits Limits) *Cache {
	return &Cache{store: store, limits: limits, ring: make([]raft.Log, limits.Entries)}
}

// IsMonotonic reports whether the store needs entries without gaps.
func (c *Cache) IsMonotonic() bool {
	store, ok := c.store.(raft.MonotonicLogStore)
	return ok && store.IsMonotonic()
}

// FirstIndex returns the first index of the store.
func (c *Cache) FirstIndex() (uint64, error) { return c.store.FirstIndex() }

// LastIndex returns the last index of the store.
func (c *Cache) LastIndex() (uint64, error) { return c.store.LastIndex() }

// GetLog reads an entry into entry. The caller must not change its data.
func (c *Cache) GetLog(index uint64, entry *raft.Log) error {
	c.mu.RLock()
	cached := c.first <= index && index < c.next
	if cached {
		*entry = c.ring[index%uint64(len(c.ring))]
	}
	c.mu.RUnlock()
	if cached {
		return nil
	}
	return c.store.GetLog(index, entry)
}

// StoreLog is StoreLogs for one entry.
func (c *Cache) StoreLog(entry *raft.Log) error { return c.StoreLogs([]*raft.Log{entry}) }

// StoreLogs writes entries to the store, and keeps them once they are written.
func (c *Cache) StoreLogs(entries []*raft.Log) error {
	if err := c.store.StoreLogs(entries); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range entries {
		c.add(e)
	}
	return nil
}

// DeleteRange deletes entries from the store. The cache forgets all that it has.
func (c *Cache) DeleteRange(low, high uint64) error {
	c.mu.Lock()
	c.forgetTo(c.next)
	c.mu.Unlock()
	return c.store.DeleteRange(low, high)
}

// add keeps one entry, at the cost of the oldest ones. An entry that does not follow the last one begins anew.
func (c *Cache) add(e *raft.Log) {
	if e.Index != c.next {
		c.forgetTo(c.next)
		c.first, c.next = e.Index, e.Index
	}
	size := sizeOf(e)
	for c.first < c.next && (c.next-c.first >= uint64(len(c.ring)) || c.bytes+size > c.limits.Bytes) {
		c.forgetTo(c.first + 1)
	}
	c.next++
	if size > c.limits.Bytes { // it alone is too large
		c.first = c.next
		return
	}
	c.ring[e.Index%uint64(len(c.ring))] = *e
	c.bytes += size
}

// forgetTo forgets the entries below an index.
func (c *Cache) forgetTo(index uint64) {
	for ; c.first < index; c.first++ {
		e := &c.ring[c.first%uint64(len(c.ring))]
		c.bytes -= sizeOf(e)
		*e = raft.Log{}
	}
}

func sizeOf(e *raft.Log) int { return len(e.Data) + len(e.Extensions) }
