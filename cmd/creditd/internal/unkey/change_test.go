package unkey_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// Rows that are there all the time are read exactly once, whatever goes and comes between two pages.
func TestRead_WhileRowsGoAndCome(t *testing.T) {
	for _, old := range []bool{false, true} {
		if server == nil {
			t.Skip(unkeydb.Installed())
		}
		set, err := server.Fill(t.Context(), fmt.Sprintf("go_and_come_%v", old), unkeydb.Options{Keys: 1300, Old: old, Now: today})
		require.NoError(t, err)
		s := open(t, set)
		first := firstPage(t, s, unkey.Query{Table: "keys"})
		require.False(t, first.Last)
		seen := map[string]bool{}
		for _, item := range first.Items {
			seen[item.ID] = true
		}
		for id := range seen { // an offset would skip as many rows as go
			_, err := set.DB.Exec("DELETE FROM `keys` WHERE id = ?", id)
			require.NoError(t, err)
		}
		second := firstPage(t, s, unkey.Query{Table: "keys", After: first.Cursor})
		require.True(t, second.Last)
		for _, item := range second.Items {
			require.NotContains(t, seen, item.ID, "twice")
			seen[item.ID] = true
		}
		for n := range set.Options.Keys {
			require.Equal(t, set.Takes(n), seen[unkeydb.KeyID(n)], "key %d", n)
		}
		require.NoError(t, set.DB.Close())
	}
}

// A later pass reads what changed, what hangs on a row included.
func TestRead_Since(t *testing.T) {
	set := fill(t, unkeydb.Options{Keys: 600, Identities: 200, Now: today})
	s := open(t, set)
	since := s.Now()
	for _, change := range []string{
		"UPDATE `keys` SET name = 'changed', updated_at_m = ? WHERE id = '" + unkeydb.KeyID(1) + "'",
		"UPDATE `keys` SET deleted_at_m = ? WHERE id = '" + unkeydb.KeyID(2) + "'",
		"INSERT INTO keys_roles (key_id, role_id, workspace_id, created_at_m) SELECT '" + unkeydb.KeyID(3) + "', id, workspace_id, ? FROM roles LIMIT 1",
		"UPDATE credits SET refill_amount = 7, updated_at = ? WHERE key_id = '" + unkeydb.KeyID(8) + "'",
	} {
		_, err := set.DB.Exec(change, since.UnixMilli())
		require.NoError(t, err)
	}
	page := firstPage(t, s, unkey.Query{Table: "keys", Since: since})
	var got []string
	for _, item := range page.Items {
		got = append(got, item.ID)
	}
	require.ElementsMatch(t, []string{unkeydb.KeyID(1), unkeydb.KeyID(3), unkeydb.KeyID(8)}, got)

	// Balances are all read: a debit leaves no time.
	balances := firstPage(t, s, unkey.Query{Table: "keys", Part: unkey.Balances, Since: since})
	found := 0
	for _, item := range balances.Items {
		require.NotNil(t, item.Record.Balance.Credits)
		found++
	}
	require.Greater(t, found, 300)
}

// Each deleted row is named, with those that went with another one, and of a later pass only those that went since. Living rows and root keys are not.
func TestRead_Deletions(t *testing.T) {
	for _, old := range []bool{false, true} {
		if server == nil {
			t.Skip(unkeydb.Installed())
		}
		set, err := server.Fill(t.Context(), fmt.Sprintf("deletions_%v", old), unkeydb.Options{Keys: 600, Identities: 200, Old: old, Now: today})
		require.NoError(t, err)
		s := open(t, set)
		deleted := func(since time.Time) map[string][]string {
			got := map[string][]string{}
			for _, table := range s.Deletions() {
				require.NoError(t, s.Pages(t.Context(), unkey.Query{Table: table, Part: unkey.Deletions, Since: since}, func(p *unkey.Page) error {
					for _, item := range p.Items {
						got[table] = append(got[table], item.ID)
					}
					return nil
				}))
			}
			return got
		}
		before := deleted(time.Time{})
		require.Equal(t, []string{"keys", "apis", "identities", "ratelimit_overrides"}, s.Deletions())
		for table, ids := range before {
			require.Len(t, ids, map[string]int{"keys": 2, "identities": set.Expect.Skipped["identities"], "apis": 1, "ratelimit_overrides": 2}[table], table)
		}

		since := s.Now()
		require.Equal(t, map[string][]string{"identities": before["identities"]}, deleted(since), "an identity has no time of its deletion")
		api := ""
		require.NoError(t, set.DB.QueryRow("SELECT id FROM apis WHERE key_auth_id = (SELECT key_auth_id FROM `keys` WHERE id = ?)", unkeydb.KeyID(1)).Scan(&api))
		for _, change := range []string{
			"UPDATE `keys` SET deleted_at_m = ? WHERE id = '" + unkeydb.KeyID(2) + "'",
			"UPDATE apis SET deleted_at_m = ? WHERE id = '" + api + "'",
			"UPDATE ratelimit_namespaces SET deleted_at_m = ? WHERE name = 'space 1'",
		} {
			_, err := set.DB.Exec(change, since.UnixMilli())
			require.NoError(t, err)
		}
		got := deleted(since)
		require.Contains(t, got["keys"], unkeydb.KeyID(1), "its API went")
		require.Contains(t, got["keys"], unkeydb.KeyID(2))
		require.NotContains(t, got["keys"], unkeydb.KeyID(3))
		require.Equal(t, []string{api}, got["apis"])
		require.Len(t, got["ratelimit_overrides"], 3, "their namespace went")
		require.NoError(t, set.DB.Close())
	}
}

// Unkey gives no refill for a day that is over. Whether it has given those of today shows in the rows.
func TestRead_RefillsOfToday(t *testing.T) {
	set := fill(t, unkeydb.Options{Keys: 1000, Now: time.Now().Add(-40 * 24 * time.Hour)})
	considered := func() map[string]time.Time {
		days := map[string]time.Time{}
		for _, item := range readAll(t, open(t, set)).items {
			if k := item.Record.Key; k != nil && k.Credits != nil && k.Credits.Refill != nil {
				days[item.ID] = time.UnixMilli(int64(k.Credits.ConsideredAt)).UTC().Truncate(24 * time.Hour)
			}
		}
		require.NotEmpty(t, days)
		return days
	}
	now := open(t, set).Now().Truncate(24 * time.Hour)
	for id, day := range considered() {
		require.Equal(t, now.Add(-24*time.Hour), day, "%s: nobody was refilled today, so what is due today is given", id)
	}
	result, err := set.DB.Exec("UPDATE `keys` SET last_refill_at = UTC_TIMESTAMP(3) WHERE refill_amount IS NOT NULL AND remaining_requests IS NOT NULL LIMIT 1")
	require.NoError(t, err)
	changed, err := result.RowsAffected()
	require.NoError(t, err)
	require.EqualValues(t, 1, changed)
	for id, day := range considered() {
		require.Equal(t, now, day, "%s: the refills of today were given", id)
	}
}

// The zone of the server is not UTC, and that of a session may be another one.
func TestRead_TimesAreUTC(t *testing.T) {
	set := fill(t, unkeydb.Options{Keys: 1000, Now: today})
	for _, item := range readAll(t, open(t, set)).items {
		if item.ID == unkeydb.KeyID(9) {
			require.Equal(t, today.Add(-time.Hour).UnixMilli(), int64(*item.Record.Key.Expires))
			return
		}
	}
	t.Fatal("the key was not read")
}

// Whoever may only read can migrate, and cannot write by mistake.
func TestOpen_SaysWhatIsWrong(t *testing.T) {
	for _, text := range []string{"secret", "user:secret@tcp(host:1)", "user:secret@nothing/x/y?%%"} {
		_, err := unkey.ParseDSN(text)
		require.Error(t, err, text)
		require.NotContains(t, err.Error(), "secret")
	}
	set := fill(t, unkeydb.Options{Keys: 1, Now: today})
	conf, err := unkey.ParseDSN(server.DSN(unkeydb.Reader, unkeydb.ReaderPassword, set.Name))
	require.NoError(t, err)
	_, err = unkey.Open(t.Context(), conf, "", "")
	require.ErrorContains(t, err, "2 workspaces; name one with --source-workspace: ws_neighbour ws_source")
	_, err = unkey.Open(t.Context(), conf, "ws_nobody", "")
	require.ErrorContains(t, err, "no workspace ws_nobody")
	s, err := unkey.Open(t.Context(), conf, "", unkeydb.Neighbour)
	require.NoError(t, err)
	require.Equal(t, unkeydb.Neighbour, s.Workspace())
	require.NoError(t, s.Close())
	wrong := *conf
	wrong.Passwd = "other"
	_, err = unkey.Open(t.Context(), &wrong, "", "")
	require.ErrorContains(t, err, "Access denied")
}

// The collations of an old table and of a newer one may differ. They do not compare by themselves, and a server must not read all of one table for
// each row of the other.
func TestRead_TablesOfDifferentCollations(t *testing.T) {
	set := fill(t, unkeydb.Options{Keys: 900, Identities: 200, Now: today})
	reads := func() (all int) {
		rows, err := set.DB.Query("SHOW GLOBAL STATUS LIKE 'Handler_read%'")
		require.NoError(t, err)
		for rows.Next() {
			var name string
			var n int
			require.NoError(t, rows.Scan(&name, &n))
			all += n
		}
		require.NoError(t, rows.Close())
		return all
	}
	var whole []unkey.Item
	for _, forms := range []map[string]string{
		nil,
		{"keys": "utf8mb4 COLLATE utf8mb4_unicode_ci", "credits": "utf8mb4 COLLATE utf8mb4_general_ci", "keys_roles": "latin1"},
	} {
		for table, form := range forms {
			_, err := set.DB.Exec("ALTER TABLE `" + table + "` CONVERT TO CHARACTER SET " + form)
			require.NoError(t, err)
		}
		s := open(t, set)
		before := reads()
		balances := firstPage(t, s, unkey.Query{Table: "keys", Part: unkey.Balances, Since: s.Now()}).Items
		require.Empty(t, firstPage(t, s, unkey.Query{Table: "keys", Since: s.Now().Add(time.Hour)}).Items)
		require.Less(t, reads()-before, 30_000, "900 keys by 250 balances would be 225,000")
		if whole == nil {
			whole = balances
		}
		require.Equal(t, whole, balances)
	}
}
