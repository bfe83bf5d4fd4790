package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
)

const (
	arenaChunk = 1 << 20
	minList    = 64
)

// change is one record to write, or to delete when stored is nil.
type change struct{ key, stored []byte }

// changes is a set of changes in memory. It copies them into large chunks, because a slice per record would take more memory than a record.
type changes struct {
	list   []change
	arena  []byte
	full   [][]byte // the chunks before arena
	bytes  int
	sorted bool // list is in strictly ascending order so far

	// What earlier sets needed, for the next one.
	spare  []change
	order  []position
	chunks [][]byte
}

// add adds a change of the caller.
func (c *changes) add(key, value []byte, remove bool) {
	size := 0
	if !remove {
		size = crcSize + len(value)
	}
	c.grow(len(key) + size)
	entry := change{key: c.keep(func(b []byte) []byte { return append(b, key...) })}
	if !remove {
		entry.stored = c.keep(func(b []byte) []byte { return appendSealed(b, key, value) })
	}
	c.append(entry)
}

// addStored adds a change in its stored form.
func (c *changes) addStored(ch change) {
	c.grow(len(ch.key) + len(ch.stored))
	entry := change{key: c.keep(func(b []byte) []byte { return append(b, ch.key...) })}
	if ch.stored != nil {
		entry.stored = c.keep(func(b []byte) []byte { return append(b, ch.stored...) })
	}
	c.append(entry)
}

func (c *changes) grow(n int) {
	if cap(c.arena)-len(c.arena) >= n {
		return
	}
	if cap(c.arena) > 0 {
		c.full = append(c.full, c.arena)
	}
	if last := len(c.chunks) - 1; last >= 0 && n <= arenaChunk {
		c.arena, c.chunks = c.chunks[last], c.chunks[:last]
		return
	}
	c.arena = make([]byte, 0, max(arenaChunk, n))
}

// keep returns what write appended to the arena. The caller has called grow.
func (c *changes) keep(write func([]byte) []byte) []byte {
	start := len(c.arena)
	c.arena = write(c.arena)
	return c.arena[start:len(c.arena):len(c.arena)]
}

func (c *changes) append(entry change) {
	c.sorted = len(c.list) == 0 || (c.sorted && bytes.Compare(c.list[len(c.list)-1].key, entry.key) < 0)
	if len(c.list) == cap(c.list) { // append grows long lists by a quarter, and copies them four times
		c.list = slices.Grow(c.list, max(minList, len(c.list)))
	}
	c.list = append(c.list, entry)
	c.bytes += len(entry.key) + len(entry.stored) + 48
}

// reset makes the set empty. Its memory, and that of the list that inOrder returned, is used again.
func (c *changes) reset() {
	for _, chunk := range append(c.full, c.arena) {
		if cap(chunk) == arenaChunk {
			c.chunks = append(c.chunks, chunk[:0])
		}
	}
	c.list, c.arena, c.full, c.bytes = c.list[:0], nil, c.full[:0], 0
}

// inOrder returns the last change of each key, in key order.
func (c *changes) inOrder() []change {
	if c.sorted || len(c.list) == 0 {
		return c.list
	}
	order := slices.Grow(c.order[:0], len(c.list))
	for i := range c.list {
		order = append(order, position{prefixOf(c.list[i].key), int32(i)})
	}
	slices.SortFunc(order, func(a, b position) int {
		if by := cmp.Compare(a.prefix, b.prefix); by != 0 {
			return by
		}
		return cmp.Or(bytes.Compare(c.list[a.at].key, c.list[b.at].key), cmp.Compare(a.at, b.at))
	})
	kept := slices.Grow(c.spare[:0], len(c.list))
	for i, p := range order {
		ch := c.list[p.at]
		if i+1 == len(order) || order[i+1].prefix != p.prefix || !bytes.Equal(ch.key, c.list[order[i+1].at].key) {
			kept = append(kept, ch)
		}
	}
	c.list, c.sorted, c.spare, c.order = kept, true, c.list, order
	return kept
}

// position is where a change stands. Most keys differ in their first bytes, so few keys are fetched from memory to sort them.
type position struct {
	prefix uint64
	at     int32
}

// prefixOf orders keys as their first eight bytes do.
func prefixOf(key []byte) uint64 {
	var first [8]byte
	copy(first[:], key)
	return binary.BigEndian.Uint64(first[:])
}

// recordCounts counts what a snapshot did.
type recordCounts struct{ written, deleted int }

// applyChanges writes changes in key order to the records bucket and keeps the
// header's count and sum. A record that already has the wanted value is not
// touched. breathe is called for each, and its error ends it.
func applyChanges(path string, tx *bbolt.Tx, list []change, h *header, fill float64, breathe func() error) (recordCounts, error) {
	var done recordCounts
	b := tx.Bucket(bucketRecords)
	b.FillPercent = fill
	look := b.Cursor() // Get makes a new one for each key
	for _, ch := range list {
		if err := breathe(); err != nil {
			return done, err
		}
		key, old := look.Seek(ch.key)
		if !bytes.Equal(key, ch.key) {
			old = nil
		}
		if old != nil {
			if len(old) < crcSize {
				return done, damaged(path, "a record is too short")
			}
			if ch.stored != nil && bytes.Equal(old, ch.stored) {
				continue
			}
			h.Sum -= uint64(sealOf(old))
			h.Count--
		}
		var err error
		switch {
		case ch.stored != nil:
			h.Sum += uint64(sealOf(ch.stored))
			h.Count++
			done.written++
			err = b.Put(ch.key, ch.stored)
		case old != nil:
			done.deleted++
			err = b.Delete(ch.key)
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
