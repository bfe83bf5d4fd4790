package fsm

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names whose words are equal are found, replaced and removed as those in a map are.
func TestLookup_IsAMap(t *testing.T) {
	type thing struct{ name int }
	rng := rand.New(rand.NewPCG(1, 2))
	for _, words := range []uint64{1, 3, 50, 1 << 40} {
		l := newLookup(func(name int) uint64 { return uint64(name) % words }, func(t *thing) int { return t.name })
		want := make(map[int]*thing)
		for range 5000 {
			at := &thing{name: rng.IntN(100)}
			if rng.IntN(2) == 0 {
				l.put(at)
				want[at.name] = at
			} else {
				l.remove(at)
				delete(want, at.name)
			}
			require.Equal(t, len(want), l.len())
			for name := range 100 {
				require.Same(t, want[name], l.find(name))
			}
		}
		var sum uint64
		for name := range want {
			sum += uint64(name)
		}
		require.Equal(t, sum, l.sum(func(t *thing) uint64 { return uint64(t.name) }))
	}
}

// Whoever makes names with one word only makes others slower by a second look.
func TestLookup_KeepsNamesOfOneWordApart(t *testing.T) {
	l := newLookup(Hash.word, func(k *key) Hash { return k.hash })
	for i := range 200 {
		l.put(&key{hash: Hash{0: byte(i), 8: byte(i)}})
	}
	require.Equal(t, 200, l.len())
	require.Len(t, l.slots, 1)
	require.Equal(t, Hash{0: 7, 8: 7}, l.find(Hash{0: 7, 8: 7}).hash)
	require.Nil(t, l.find(Hash{0: 201, 8: 201}))
}

// Things that come and go do not take more and more memory, and the ones that stay are found.
func TestLookup_UsesThePlacesOfRemovedThings(t *testing.T) {
	const things = 2*chunkSize + 5
	l := newLookup(Hash.word, func(k *key) Hash { return k.hash })
	named := func(i int) Hash { return Hash{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16)} }
	for i := range things {
		l.put(&key{hash: named(i)})
	}
	for i := range 2 * things {
		l.remove(l.find(named(i)))
		l.put(&key{hash: named(things + i)})
		require.Equal(t, things, l.len())
		require.Equal(t, named(i+1), l.find(named(i+1)).hash)
	}
	for i := range things {
		k := l.find(named(2*things + i))
		require.Equal(t, named(2*things+i), k.hash)
		l.remove(k)
	}
	require.Zero(t, l.len())
	require.Zero(t, l.sum(func(*key) uint64 { return 1 }))
	require.Len(t, l.things.chunks, 3)
	for slot := range uint32(things) {
		require.Nil(t, *l.things.at(slot), "a removed thing is kept in memory")
	}
}

// The collector fetches what a pointer leads to, and the order of a map is that of hashes.
func TestLookup_HasNoPointersInItsMap(t *testing.T) {
	var l lookup[Hash, *key]
	at := reflect.TypeOf(l.slots)
	require.Equal(t, reflect.Uint64, at.Key().Kind())
	require.Equal(t, reflect.Uint32, at.Elem().Kind())
}

// shareWords makes names share a few words, as whoever chooses names could. Nobody may see it in what the ledger answers or saves.
func (l *lookup[N, T]) shareWords() {
	word := l.word
	l.word = func(name N) uint64 { return word(name) % 3 }
}

// ShareWords does this in an empty ledger.
func (s *State) ShareWords() {
	s.identities.shareWords()
	s.external.shareWords()
	s.keys.shareWords()
	s.keyByHash.shareWords()
	s.former.shareWords()
	s.windows.shareWords()
	s.byKey.shareWords()
}

// ShareWords does this in what a loader loads.
func (l *Loader) ShareWords() { l.state.ShareWords() }
