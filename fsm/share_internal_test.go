package fsm

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the others do, in any order, a workspace gets its part of what is set aside. One that is above it has at most half of what the
// others leave, and all together stay within the capacity. Contract 7.1.
func TestShares_KeepRoomForEverybody(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		n, capacity := 2+rng.IntN(6), uint64(rng.IntN(3000))+64
		own, total := make([]uint64, n), uint64(0)
		part := max(1, capacity/8/uint64(n))
		greedy := rng.IntN(n)
		for range 4000 {
			w := rng.IntN(n)
			if rng.IntN(2) == 0 {
				w = greedy
			}
			if rng.IntN(20) == 0 && own[w] > 0 { // some expire
				some := rng.Uint64N(own[w]) + 1
				own[w], total = own[w]-some, total-some
			}
			may := shares(own[w], total, capacity, n)
			if own[w] < part && !may {
				t.Fatalf("refused with %d of %d, part %d", own[w], capacity, part)
			}
			if may {
				own[w]++
				total++
			}
			if total > capacity {
				t.Fatalf("%d are let in, the capacity is %d", total, capacity)
			}
			if rest := capacity - (total - own[w]); may && own[w] > part+1 && own[w]-1 > rest/2 {
				t.Fatalf("%d are more than half of the %d that the others leave", own[w], rest)
			}
		}
	}
}

func TestShares_AWorkspaceAloneHasItAll(t *testing.T) {
	for total := range uint64(5) {
		require.Equal(t, total < 4, shares(total, total, 4, 1))
		require.True(t, shares(total, total, 0, 3), "no limit")
	}
	require.True(t, shares(0, 100, 4, 2), "one that comes later is let in, too")
}
