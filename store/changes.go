package store

import (
	"bytes"
	"slices"

	"go.etcd.io/bbolt"
)

const arenaChunk = 1 << 20

// change is one record to write, or to delete when stored is nil.
type change struct{ key, stored []byte }

// changes is a set of changes in memory. It copies what it is given into large
// chunks: a slice per record would cost more than the record.
type changes struct {
	list   []change
	arena  []byte
	bytes  int
	sorted bool // list is in strictly ascending order so far
}

func (c *changes) add(key, value []byte, remove bool) {
	need := len(key)
	if !remove {
		need += crcSize + len(value)
	}
	if cap(c.arena)-len(c.arena) < need {
		c.arena = make([]byte, 0, max(arenaChunk, need))
	}
	start := len(c.arena)
	c.arena = append(c.arena, key...)
	entry := change{key: c.arena[start : start+len(key) : start+len(key)]}
	if !remove {
		start = len(c.arena)
		c.arena = appendSealed(c.arena, key, value)
		entry.stored = c.arena[start:len(c.arena):len(c.arena)]
	}
	c.sorted = len(c.list) == 0 || (c.sorted && bytes.Compare(c.list[len(c.list)-1].key, entry.key) < 0)
	c.list = append(c.list, entry)
	c.bytes += need + 48
}

// apply writes the set to the records bucket in key order, the last change of a
// key winning, and keeps the header's count and sum. A record that already has
// the wanted value is not touched.
func (c *changes) apply(path string, tx *bbolt.Tx, h *header, fill float64) (written, deleted int, err error) {
	if !c.sorted {
		slices.SortStableFunc(c.list, func(a, b change) int { return bytes.Compare(a.key, b.key) })
	}
	b := tx.Bucket(bucketRecords)
	b.FillPercent = fill
	for i, ch := range c.list {
		if i+1 < len(c.list) && bytes.Equal(ch.key, c.list[i+1].key) {
			continue
		}
		old := b.Get(ch.key)
		if old != nil {
			if len(old) < crcSize {
				return written, deleted, damaged(path, "a record is too short")
			}
			if ch.stored != nil && bytes.Equal(old, ch.stored) {
				continue
			}
			h.Sum -= uint64(sealOf(old))
			h.Count--
		}
		switch {
		case ch.stored != nil:
			h.Sum += uint64(sealOf(ch.stored))
			h.Count++
			written++
			err = b.Put(ch.key, ch.stored)
		case old != nil:
			deleted++
			err = b.Delete(ch.key)
		}
		if err != nil {
			return written, deleted, err
		}
	}
	return written, deleted, nil
}

func (c *changes) reset() { *c = changes{} }
