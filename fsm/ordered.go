package fsm

import (
	"cmp"
	"slices"
	"strings"
)

// listed is an item of an ordered index. The order is that of the ids, byte by byte.
type listed interface {
	comparable
	listID() string
	listPrefix() string // the usual first bytes of an id; it only makes the index faster
}

// maxChunk is how many entries a chunk holds before it is split. Moving half of a chunk costs less than the search, and the list of chunks
// stays short.
const maxChunk = 256

// ordered is a sorted list of sorted chunks, for listing page by page. An insertion moves at most one chunk's entries. Most comparisons
// compare tags, the first bytes of the ids, and follow no pointer. The zero value is empty.
//
// Invariant: no chunk is empty, and ids ascend strictly within and across chunks.
type ordered[T listed] struct{ chunks [][]entry[T] }

type entry[T listed] struct {
	tag  uint64
	item T
}

// tagOf preserves the order of ids: a smaller id has a smaller tag, or the same.
func tagOf(prefix, id string) uint64 {
	rest, usual := strings.CutPrefix(id, prefix)
	switch {
	case usual:
		var tag uint64
		for i := range 8 {
			tag <<= 8
			if i < len(rest) {
				tag |= uint64(rest[i])
			}
		}
		return tag
	case id < prefix:
		return 0
	default:
		return 1<<64 - 1
	}
}

func (e *entry[T]) compare(tag uint64, id string) int {
	if c := cmp.Compare(e.tag, tag); c != 0 {
		return c
	}
	return strings.Compare(e.item.listID(), id)
}

// find returns the chunk and the index of the first entry whose id is not below id, or the end.
func (o *ordered[T]) find(id string) (chunk, at int, tag uint64) {
	var none T
	tag = tagOf(none.listPrefix(), id)
	// The last chunk that does not begin above id.
	low, high := 0, len(o.chunks)
	for low < high {
		if mid := int(uint(low+high) / 2); o.chunks[mid][0].compare(tag, id) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	chunk = max(0, low-1)
	if len(o.chunks) == 0 {
		return 0, 0, tag
	}
	entries := o.chunks[chunk]
	low, high = 0, len(entries)
	for low < high {
		if mid := int(uint(low+high) / 2); entries[mid].compare(tag, id) < 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return chunk, low, tag
}

// place is find for an item that is not in the index. Most ids ascend when a snapshot is loaded, and then it looks at the last entry only.
func (o *ordered[T]) place(id string) (chunk, at int, tag uint64) {
	if last := len(o.chunks) - 1; last >= 0 {
		var none T
		entries := o.chunks[last]
		if tag = tagOf(none.listPrefix(), id); entries[len(entries)-1].compare(tag, id) < 0 {
			return last, len(entries), tag
		}
	}
	return o.find(id)
}

// insert adds an item that is not in the index.
func (o *ordered[T]) insert(item T) {
	chunk, at, tag := o.place(item.listID())
	added := entry[T]{tag, item}
	if len(o.chunks) == 0 {
		o.chunks = [][]entry[T]{{added}}
		return
	}
	entries := o.chunks[chunk]
	switch {
	case at == len(entries) && at < maxChunk:
		o.chunks[chunk] = append(entries, added)
	case len(entries) < maxChunk:
		o.chunks[chunk] = slices.Insert(entries, at, added)
	case at == maxChunk && chunk == len(o.chunks)-1: // ascending ids, as from a snapshot: chunks stay full
		o.chunks = append(o.chunks, append(make([]entry[T], 0, maxChunk), added))
	default:
		upper := append(make([]entry[T], 0, maxChunk), entries[maxChunk/2:]...)
		clear(entries[maxChunk/2:])
		lower := entries[:maxChunk/2]
		if at <= maxChunk/2 {
			lower = slices.Insert(lower, at, added)
		} else {
			upper = slices.Insert(upper, at-maxChunk/2, added)
		}
		o.chunks[chunk] = lower
		o.chunks = slices.Insert(o.chunks, chunk+1, upper)
	}
}

// remove removes an item, if it is in the index.
func (o *ordered[T]) remove(item T) {
	chunk, at, _ := o.find(item.listID())
	if chunk >= len(o.chunks) || at == len(o.chunks[chunk]) || o.chunks[chunk][at].item != item {
		return
	}
	entries := slices.Delete(o.chunks[chunk], at, at+1)
	o.chunks[chunk] = entries
	switch {
	case len(entries) == 0:
		o.chunks = slices.Delete(o.chunks, chunk, chunk+1)
	case chunk+1 < len(o.chunks) && len(entries)+len(o.chunks[chunk+1]) <= maxChunk/2:
		o.chunks[chunk] = append(entries, o.chunks[chunk+1]...)
		o.chunks = slices.Delete(o.chunks, chunk+1, chunk+2)
	}
}

// first returns the item with the smallest id.
func (o *ordered[T]) first() (item T, ok bool) {
	if len(o.chunks) == 0 {
		return item, false
	}
	return o.chunks[0][0].item, true
}

func (o *ordered[T]) empty() bool { return len(o.chunks) == 0 }

// from calls visit for the items whose ids are not below id, in order, until it returns false.
func (o *ordered[T]) from(id string, visit func(T) bool) {
	chunk, at, _ := o.find(id)
	for ; chunk < len(o.chunks); chunk++ {
		for ; at < len(o.chunks[chunk]); at++ {
			if !visit(o.chunks[chunk][at].item) {
				return
			}
		}
		at = 0
	}
}
