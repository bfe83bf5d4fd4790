package fsm

import (
	"encoding/binary"

	"github.com/creditd/creditd/fsm/fields"
)

// lookup finds things by their names. A map takes its keys with it, and a name is two to six times as long as the word that stands for it
// here. The name itself stays in the thing.
type lookup[N, T comparable] struct {
	word   func(N) uint64
	name   func(T) N
	things map[uint64]T
	// others are the things whose word another one has. Clients choose some names, so there may be any number of them.
	others map[N]T
}

// newLookup returns an empty lookup. A thing must keep its name while it is in it.
func newLookup[N, T comparable](word func(N) uint64, name func(T) N) lookup[N, T] {
	return lookup[N, T]{word: word, name: name, things: make(map[uint64]T)}
}

// reserve makes room for so many things in an empty lookup.
func (l *lookup[N, T]) reserve(n int) { l.things = make(map[uint64]T, n) }

// find returns the thing with a name; nil: there is none.
func (l *lookup[N, T]) find(name N) T {
	var none T
	if t := l.things[l.word(name)]; t != none && l.name(t) == name {
		return t
	}
	if len(l.others) == 0 {
		return none
	}
	return l.others[name]
}

// put adds a thing, in place of the one that had its name.
func (l *lookup[N, T]) put(t T) {
	var none T
	name := l.name(t)
	word := l.word(name)
	if first := l.things[word]; first != none && l.name(first) != name || l.others[name] != none {
		if l.others == nil {
			l.others = make(map[N]T)
		}
		l.others[name] = t
		return
	}
	l.things[word] = t
}

// remove removes the thing that has the name of this one.
func (l *lookup[N, T]) remove(t T) {
	var none T
	name := l.name(t)
	word := l.word(name)
	if first := l.things[word]; first != none && l.name(first) == name {
		delete(l.things, word)
		return
	}
	delete(l.others, name)
}

func (l *lookup[N, T]) len() int { return len(l.things) + len(l.others) }

// sum adds up a number of each thing.
func (l *lookup[N, T]) sum(of func(T) uint64) (sum uint64) {
	for _, t := range l.things { // order-free: a sum
		sum += of(t)
	}
	for _, t := range l.others { // order-free: a sum
		sum += of(t)
	}
	return sum
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
