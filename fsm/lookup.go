package fsm

import (
	"encoding/binary"

	"github.com/creditd/creditd/fsm/fields"
)

// lookup finds things by their names. A map takes its keys with it, and a name is two to six times as long as the word that stands for it
// here. The name itself stays in the thing. The map has no pointers, so the collector passes over it: see slab.
type lookup[N, T comparable] struct {
	word   func(N) uint64
	name   func(T) N
	slots  map[uint64]uint32 // in things, by word
	things slab[T]
	// others are the things whose word another one has. Clients choose some names, so there may be any number of them.
	others map[N]T
}

// newLookup returns an empty lookup. A thing must keep its name while it is in it.
func newLookup[N, T comparable](word func(N) uint64, name func(T) N) lookup[N, T] {
	return lookup[N, T]{word: word, name: name, slots: make(map[uint64]uint32)}
}

// reserve makes room for so many things in an empty lookup.
func (l *lookup[N, T]) reserve(n int) { l.slots = make(map[uint64]uint32, n) }

// find returns the thing with a name; nil: there is none.
func (l *lookup[N, T]) find(name N) T {
	if at, found := l.slots[l.word(name)]; found {
		if t := *l.things.at(at); l.name(t) == name {
			return t
		}
	}
	if len(l.others) == 0 {
		var none T
		return none
	}
	return l.others[name]
}

// put adds a thing, in place of the one that had its name.
func (l *lookup[N, T]) put(t T) {
	var none T
	name := l.name(t)
	word := l.word(name)
	at, found := l.slots[word]
	switch {
	case found && l.name(*l.things.at(at)) == name:
		*l.things.at(at) = t
	case found || l.others[name] != none:
		if l.others == nil {
			l.others = make(map[N]T)
		}
		l.others[name] = t
	default:
		l.slots[word] = l.things.add(t)
	}
}

// remove removes the thing that has the name of this one.
func (l *lookup[N, T]) remove(t T) {
	name := l.name(t)
	word := l.word(name)
	at, found := l.slots[word]
	if !found || l.name(*l.things.at(at)) != name {
		delete(l.others, name)
		return
	}
	delete(l.slots, word)
	if last, moved := l.things.remove(at); moved {
		l.slots[l.word(l.name(last))] = at
	}
}

func (l *lookup[N, T]) len() int { return len(l.slots) + len(l.others) }

// sum adds up a number of each thing.
func (l *lookup[N, T]) sum(of func(T) uint64) (sum uint64) {
	for at := range l.things.len {
		sum += of(*l.things.at(at))
	}
	for _, t := range l.others { // order-free: a sum
		sum += of(t)
	}
	return sum
}

// slab keeps things in numbered slots. The collector follows its pointers in the order in which the things were made, so most of them are near each
// other in memory. A map has them in the order of hashes, where most take a fetch from memory.
type slab[T any] struct {
	chunks [][]T // all but the last one in use are full; they stay when things are removed, as the memory of a map does
	len    uint32
}

// chunkSize is the number of slots of a chunk. The first chunk grows as any list, and the others begin at this size: nothing is copied then.
const chunkSize = 8 << 10

func (s *slab[T]) at(slot uint32) *T { return &s.chunks[slot/chunkSize][slot%chunkSize] }

// add returns the slot of a new thing.
func (s *slab[T]) add(t T) (slot uint32) {
	slot = s.len
	s.len++
	chunk := int(slot / chunkSize)
	switch {
	case chunk == len(s.chunks) && chunk == 0:
		s.chunks = append(s.chunks, nil)
	case chunk == len(s.chunks):
		s.chunks = append(s.chunks, make([]T, 0, chunkSize))
	}
	if at := int(slot % chunkSize); at < len(s.chunks[chunk]) {
		s.chunks[chunk][at] = t
	} else {
		s.chunks[chunk] = append(s.chunks[chunk], t)
	}
	return slot
}

// remove empties a slot. If it was not the last one, the last thing moves there.
func (s *slab[T]) remove(slot uint32) (last T, moved bool) {
	var none T
	s.len--
	end := s.at(s.len)
	last = *end
	if moved = slot != s.len; moved {
		*s.at(slot) = last
	}
	*end = none
	return last, moved
}

// word stands for a hash in a lookup.
func (h Hash) word() uint64 { return wordOfBytes(h[:16]) ^ wordOfBytes(h[16:]) }

func (h ShortHash) word() uint64 { return wordOfBytes(h[:]) }

// wordOfBytes is made of all of 16 bytes: hashes of migrated keys are as their system made them.
func wordOfBytes(b []byte) uint64 {
	return binary.LittleEndian.Uint64(b) ^ binary.LittleEndian.Uint64(b[8:])
}

// wordOf stands for a text in a lookup.
func wordOf(text string) uint64 {
	h := fields.NewHasher(0)
	h.String(text)
	return h.First()
}
