package unkey_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// A server may end the sessions of a reader at any time: each row is read once all the same, in order.
func TestPages_GoOnWhenSessionsEnd(t *testing.T) {
	set := fill(t, unkeydb.Options{Keys: 5500, Identities: 300, Now: today})
	s := open(t, set)
	whole := readAll(t, s)
	seen, pages, ended := map[string]int{}, 0, 0
	require.NoError(t, s.Pages(t.Context(), unkey.Query{Table: "keys"}, func(p *unkey.Page) error {
		for _, item := range p.Items {
			seen[item.ID]++
		}
		if pages++; pages%2 == 1 {
			ended += endSessions(t, set)
		}
		return nil
	}))
	require.Positive(t, ended)
	require.Equal(t, 6, pages)
	require.Len(t, seen, whole.taken["key"])
	for id, times := range seen {
		require.Equal(t, 1, times, id)
	}
}

// endSessions kills what the reader has open.
func endSessions(t *testing.T, set *unkeydb.Set) int {
	t.Helper()
	rows, err := set.DB.Query("SELECT id FROM information_schema.processlist WHERE user = ?", unkeydb.Reader)
	require.NoError(t, err)
	var ids []int64
	for rows.Next() {
		var id int64
		require.NoError(t, rows.Scan(&id))
		ids = append(ids, id)
	}
	require.NoError(t, rows.Close())
	for _, id := range ids {
		_, _ = set.DB.Exec("KILL ?", id) // it may have ended
	}
	return len(ids)
}

// Whoever takes pages may fail because of a network as well. That is no reason to read again.
func TestPages_EndWhereTheTakerFails(t *testing.T) {
	s := open(t, fill(t, unkeydb.Options{Keys: 2500, Now: today}))
	wanted, pages := &net.OpError{Op: "write"}, 0
	err := s.Pages(t.Context(), unkey.Query{Table: "keys"}, func(*unkey.Page) error {
		pages++
		return wanted
	})
	require.Equal(t, error(wanted), err)
	require.Equal(t, 1, pages)
}
