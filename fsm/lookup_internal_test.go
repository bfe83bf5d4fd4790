package fsm

import (
	"math/rand/v2"
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
	require.Len(t, l.things, 1)
	require.Equal(t, Hash{0: 7, 8: 7}, l.find(Hash{0: 7, 8: 7}).hash)
	require.Nil(t, l.find(Hash{0: 201, 8: 201}))
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
