package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Changes come in key order, and of each key the last one: whatever the keys have in common.
func TestChanges_InOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var c changes // its memory is used again
	for _, most := range []int{1, 3, 20, 400, 30_000, 20} {
		c.reset()
		last := map[string]string{}
		for i := range 2 * most {
			key := "k\x00\x00\x00\x00\x00\x00\x00\x00\x00"[:random.IntN(11)] + string(rune('a'+random.IntN(3))) + fmt.Sprint(random.IntN(most))
			value := fmt.Sprint(i)
			c.add([]byte(key), []byte(value), i%5 == 4)
			if last[key] = value; i%5 == 4 {
				last[key] = ""
			}
		}
		list := c.inOrder()
		require.True(t, slices.IsSortedFunc(list, func(a, b change) int { return bytes.Compare(a.key, b.key) }))
		require.Len(t, list, len(last))
		for _, ch := range list {
			value := ""
			if ch.stored != nil {
				plain, ok := unseal(ch.key, ch.stored)
				require.True(t, ok)
				value = string(plain)
			}
			require.Equal(t, last[string(ch.key)], value, "%q", ch.key)
		}
	}
}
