package fsm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func (o *ordered[T]) ids(from string) []string {
	var list []string
	o.from(from, func(item T) bool {
		list = append(list, item.listID())
		return true
	})
	return list
}

// The index is a sorted list, whatever is put in and taken out, with ids of the usual form and of any other.
func TestOrdered_IsASortedList(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		id := func() string {
			switch rng.IntN(4) {
			case 0:
				return fmt.Sprintf("key_%03d", rng.IntN(800))
			case 1:
				return []string{"", "key", "key_", "kex_9", "kez", "a", "zz", "\xff", "key_\xff\xff", "key_12345678", "key_123456789"}[rng.IntN(11)]
			default:
				return fmt.Sprintf("key_samehead%d", rng.IntN(2000))
			}
		}
		var o ordered[*key]
		want := map[string]*key{}
		for range 6000 {
			name, shrink := id(), rng.IntN(2) == 0
			switch k := want[name]; {
			case k == nil:
				k = &key{id: name}
				want[name] = k
				o.insert(k)
			case shrink || seed%2 == 0:
				delete(want, name)
				o.remove(k)
			}
		}
		o.remove(&key{id: "key_samehead1"}) // another of that name, or of none
		var sorted []string
		for name := range want {
			sorted = append(sorted, name)
		}
		slices.Sort(sorted)
		require.Equal(t, sorted, o.ids(""), "seed %d", seed)
		for range 100 {
			from := id()
			at, _ := slices.BinarySearch(sorted, from)
			require.True(t, slices.Equal(sorted[at:], o.ids(from)), "from %q", from)
		}
		for _, c := range o.chunks {
			require.NotEmpty(t, c)
			require.LessOrEqual(t, len(c), maxChunk)
		}
		for _, k := range want {
			o.remove(k)
		}
		require.Empty(t, o.chunks)
	}
}

// The order of tags never contradicts that of ids.
func TestOrdered_TagsKeepTheOrder(t *testing.T) {
	ids := []string{"", "a", "key", "key_", "key_\x00", "key_0", "key_00000000", "key_000000001", "key_1", "key_\xff", "key`", "z", "\xff"}
	require.True(t, slices.IsSorted(ids))
	for i := range ids {
		for j := range ids[:i] {
			require.LessOrEqual(t, tagOf("key_", ids[j]), tagOf("key_", ids[i]), "%q %q", ids[j], ids[i])
		}
	}
}

// Ids that come in order, as from a snapshot, fill their chunks.
func TestOrdered_FillsChunksInOrder(t *testing.T) {
	var o ordered[*key]
	for n := range 10 * maxChunk {
		o.insert(&key{id: fmt.Sprintf("key_%06d", n)})
	}
	require.Len(t, o.chunks, 10)
}

// randomKeys have ids as package mint makes them.
func randomKeys(n int) []*key {
	const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	rng := rand.New(rand.NewPCG(1, 2))
	keys := make([]*key, n)
	for i := range keys {
		var b strings.Builder
		b.WriteString("key_")
		for range 16 {
			b.WriteByte(alphanumerics[rng.IntN(len(alphanumerics))])
		}
		keys[i] = &key{id: b.String()}
	}
	return keys
}

// Growing to a million keys in random order, and changing one afterwards.
func BenchmarkOrdered(b *testing.B) {
	const n = 1_000_000
	keys := randomKeys(n)
	b.Run("grow", func(b *testing.B) {
		for range b.N {
			var o ordered[*key]
			for _, k := range keys {
				o.insert(k)
			}
			var entries int
			for _, c := range o.chunks {
				entries += cap(c)
			}
			b.ReportMetric(float64(16*entries+24*cap(o.chunks))/n, "bytes/key")
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/insert")
	})
	var o ordered[*key]
	for _, k := range keys {
		o.insert(k)
	}
	b.Run("remove and insert", func(b *testing.B) {
		for i := range b.N {
			k := keys[i*7919%n]
			o.remove(k)
			o.insert(k)
		}
	})
	b.Run("page of 100", func(b *testing.B) {
		for i := range b.N {
			left := 100
			o.from(keys[i*7919%n].id, func(*key) bool { left--; return left > 0 })
		}
	})
}
