package fsm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// listedKeys makes an index of keys that say whether they are hidden.
func listedKeys(hidden ...bool) *ordered[*key] {
	o := &ordered[*key]{}
	for n, h := range hidden {
		o.insert(&key{id: fmt.Sprintf("key_%06d", n), deleted: h})
	}
	return o
}

// lives is a page of the ids of keys that are not deleted.
func lives(o *ordered[*key], limit int, cursor string) (ids []string, next string) {
	list, next := page(o, Page{Limit: limit, Cursor: cursor}, listing[*key, Key]{
		wanted: func(k *key) (bool, int) { return !k.deleted, 0 },
		show:   func(k *key) Key { return Key{ID: k.id} },
	})
	for _, k := range list {
		ids = append(ids, k.ID)
	}
	return ids, next
}

// A page looks at a bounded number of items, also when none of them shows, and the next page goes on behind them.
func TestPage_BoundsWhatItLooksAt(t *testing.T) {
	many := slices.Repeat([]bool{true}, maxExamined+1)
	ids, next := lives(listedKeys(append(many, false)...), 100, "")
	require.Empty(t, ids)
	require.Equal(t, "key_010000", next, "the first that it did not look at")
	ids, next = lives(listedKeys(append(many, false)...), 100, next)
	require.Equal(t, []string{"key_010001"}, ids)
	require.Empty(t, next)

	// One that still is within the bound.
	ids, next = lives(listedKeys(append(many[:maxExamined-1:maxExamined-1], false)...), 100, "")
	require.Equal(t, []string{"key_009999"}, ids)
	require.Empty(t, next)

	// A full page looks for the first of the next one, and no further than any other page.
	ids, next = lives(listedKeys(slices.Concat([]bool{false, false}, many, []bool{false})...), 2, "")
	require.Equal(t, []string{"key_000000", "key_000001"}, ids)
	require.Equal(t, "key_010000", next)
	ids, next = lives(listedKeys(slices.Concat([]bool{false, false}, many[:5], []bool{false})...), 2, "")
	require.Len(t, ids, 2)
	require.Equal(t, "key_000007", next)
	ids, next = lives(listedKeys(slices.Concat([]bool{false, false}, many[:5])...), 2, "")
	require.Len(t, ids, 2)
	require.Empty(t, next, "nothing is left to show")
}

// A page ends where its bytes or its work are used up. Each page shows at least one item, whatever it costs.
func TestPage_BoundsWhatItShows(t *testing.T) {
	for name, l := range map[string]listing[*key, Key]{
		"bytes": {show: func(k *key) Key { return Key{ID: k.id, Meta: strings.Repeat("x", maxPageWork/4)} }},
		"work": {
			cost: func(*key) int { return maxPageWork / 4 },
			show: func(k *key) Key { return Key{ID: k.id} },
		},
		"looking": {
			wanted: func(*key) (bool, int) { return true, maxPageWork / 4 },
			show:   func(k *key) Key { return Key{ID: k.id} },
		},
	} {
		o := listedKeys(make([]bool, 20)...)
		var seen []string
		for cursor := ""; ; {
			list, next := page(o, Page{Limit: 100, Cursor: cursor}, l)
			require.GreaterOrEqual(t, len(list), 1, name)
			require.LessOrEqual(t, len(list), 4, name)
			for _, k := range list {
				seen = append(seen, k.ID)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		require.Len(t, slices.Compact(seen), 20, name)
	}
	huge := listing[*key, Key]{cost: func(*key) int { return 10 * maxPageWork }, show: func(k *key) Key { return Key{ID: k.id} }}
	list, next := page(listedKeys(false, false), Page{Limit: 100}, huge)
	require.Len(t, list, 1)
	require.Equal(t, "key_000001", next)
}
