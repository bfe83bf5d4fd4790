package fsm

import (
	"encoding/binary"

	"github.com/creditd/creditd/fsm/fields"
)

// lookup finds things by their names. A map takes its keys with it, and a name is two to six times as long as the word that stands for it
// here. The name itself stays in the thing. The map has no pointers, so the collector passes over it: see shelf.
type lookup[N, T comparable] struct {
	word   func(N) uint64
	name   func(T) N
	places map[uint64]uint32 // in things, by word
	things shelf[T]
	// others are the things whose word another one has. Clients choose some names, so there may be any number of them.
	others map[N]T
}

// newLookup returns an empty lookup. A thing must keep its name while it is in it.
func newLookup[N, T comparable](word func(N) uint64, name func(T) N) lookup[N, T] {
	return lookup[N, T]{word: word, name: name, places: make(map[uint64]uint32)}
}

// reserve makes room for so many things in an empty lookup.
func (l *lookup[N, T]) reserve(n int) { l.places = make(map[uint64]uint32, n) }

// find returns the thing with a name; nil: there is none.
func (l *lookup[N, T]) find(name N) T {
	if at, found := l.places[l.word(name)]; found {
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
	at, found := l.places[word]
	switch {
	case found && l.name(*l.things.at(at)) == name:
		*l.things.at(at) = t
	case found || l.others[name] != none:
		if l.others == nil {
			l.others = make(map[N]T)
		}
		l.others[name] = t
	default:
		l.places[word] = l.things.add(t)
	}
}

// remove removes the thing that has the name of this one.
func (l *lookup[N, T]) remove(t T) {
	name := l.name(t)
	word := l.word(name)
	at, found := l.places[word]
	if !found || l.name(*l.things.at(at)) != name {
		delete(l.others, name)
		return
	}
	delete(l.places, word)
	if last, moved := l.things.remove(at); moved {
		l.places[l.word(l.name(last))] = at
	}
}

func (l *lookup[N, T]) len() int { return len(l.places) + len(l.others) }

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

// shelf keeps things at places, which are numbers from 0 on. The collector follows its pointers in the order in which the things were made: so most
// are near each other in memory. A map has them in the order of hashes, and most took a fetch from memory.
type shelf[T any] struct {
	boards [][]T // all but the last are full; they stay when things are removed, as the memory of a map does
	len    uint32
}

// boardSize is how many things stand on a board. Nothing is copied when the next board is needed.
const boardSize = 8 << 10

func (s *shelf[T]) at(place uint32) *T { return &s.boards[place/boardSize][place%boardSize] }

// add returns the place of a new thing.
func (s *shelf[T]) add(t T) (place uint32) {
	place = s.len
	s.len++
	board := int(place / boardSize)
	switch {
	case board == len(s.boards) && board == 0:
		s.boards = append(s.boards, nil)
	case board == len(s.boards):
		s.boards = append(s.boards, make([]T, 0, boardSize))
	}
	if at := int(place % boardSize); at < len(s.boards[board]) {
		s.boards[board][at] = t
	} else {
		s.boards[board] = append(s.boards[board], t)
	}
	return place
}

// remove empties a place. If it was not the last one, the last thing moves there.
func (s *shelf[T]) remove(place uint32) (last T, moved bool) {
	var none T
	s.len--
	end := s.at(s.len)
	last = *end
	if moved = place != s.len; moved {
		*s.at(place) = last
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
