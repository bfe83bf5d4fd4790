package fsm_test

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// restored is the ledger of a node that came up from the first snapshot of s.
func restored(t testing.TB, s *fsm.State) *fsm.State {
	t.Helper()
	return restoredFrom(t, s, map[fsm.RecordKey]fsm.Record{})
}

// restoredFrom is the ledger of a node that came up from the next snapshot of s. records are those of the snapshots before.
func restoredFrom(t testing.TB, s *fsm.State, records map[fsm.RecordKey]fsm.Record) *fsm.State {
	t.Helper()
	f, l := s.Freeze(), fsm.NewLoader()
	maps.Copy(records, take(f))
	names := slices.SortedFunc(maps.Keys(records), func(a, b fsm.RecordKey) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	})
	for _, name := range names {
		if r := records[name]; r != nil {
			require.NoError(t, l.Add(r))
		}
	}
	f.Release(true)
	again, err := l.Finish(f.Digest)
	require.NoError(t, err)
	return again
}

// entries are the audit entries that a root key sees, the newest first.
func entries(t testing.TB, s *fsm.State, actor fsm.Hash) []fsm.AuditEntry {
	t.Helper()
	var list []fsm.AuditEntry
	for cursor := "z"; cursor != ""; {
		page, ok := s.Answer(actor, &fsm.ListAudit{To: fsm.Never, Page: fsm.Page{Limit: 1_000_000, Cursor: cursor}}).(*fsm.AuditEntries)
		require.True(t, ok)
		list, cursor = append(list, page.List...), page.Next
	}
	return list
}

func resourceIDs(e fsm.AuditEntry) (ids []string) {
	for _, r := range e.Resources {
		ids = append(ids, r.Type.String()+" "+r.ID)
	}
	return ids
}

// Contract 7.4: who, what, when, from where, and the balance before and after.
func TestAudit_TellsOfAChange(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newKey(t, s, 'a', "alice", fsm.NewCredits{Limited: true, Remaining: 5, Refill: daily(9)})
	advance(t, s, "2025-01-02 10:00:00.000")
	origin := &fsm.Origin{RequestID: "req_1", RemoteAddr: "192.0.2.1:80", UserAgent: "curl"}
	s.Apply(fsm.Batch{Stamp: s.Clock(), Index: 77, Calls: []fsm.Call{{
		Actor: root, Origin: origin,
		Command: &fsm.UpdateKeyCredits{KeyID: "key_a", Change: fsm.BalanceChange{Op: fsm.Increment, Limited: true, Value: 3}},
	}}})
	list := entries(t, s, root)
	require.Len(t, list, 2)
	key := fsm.AuditResource{Type: fsm.KeyResource, ID: "key_a"}
	require.Equal(t, fsm.AuditEntry{
		Index: 77, Time: s.Clock(), Event: fsm.KeyCreditsUpdated, ActorID: "key_root", ActorName: "bootstrap", Origin: origin,
		Resources: []fsm.AuditResource{key},
		// The refill of the night is not the command's doing.
		Balances: []fsm.AuditBalance{{Owner: key, Before: fsm.Balance{Limited: true, Remaining: 9}, After: fsm.Balance{Limited: true, Remaining: 12}}},
	}, list[0])
	require.Equal(t, []string{"identity id_of_key_a", "key key_a"}, resourceIDs(list[1]))
	require.Equal(t, []fsm.AuditBalance{{Owner: key, After: fsm.Balance{Limited: true, Remaining: 5}}}, list[1].Balances)
	require.Nil(t, list[1].Origin)
}

// Contract 7.4: what changes nothing leaves nothing, and neither do verifications and tokens.
func TestAudit_KeepsSilent(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newKey(t, s, 'a', "", credits(5))
	apply(t, s, &fsm.CreateRole{ID: "role_1", Name: "editor", Permissions: []fsm.PermissionRef{{Slug: "a", ID: "perm_1"}, {Slug: "b", ID: "perm_2"}}})
	apply(t, s, &fsm.LinkKeyRoles{KeyID: "key_a", Op: fsm.AddLinks, Roles: []string{"editor"}})
	limit := fsm.RatelimitRequest{Namespace: "n", NamespaceID: "rlns_1", Identifier: "i", Limit: 5, Duration: 1000, Cost: 1}
	apply(t, s, &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{limit}})
	require.Equal(t, []string{"ratelimitNamespace rlns_1"}, resourceIDs(entries(t, s, root)[0]))
	apply(t, s, &fsm.DeletePermission{Permission: "b"})
	require.Equal(t, []string{"permission perm_2"}, resourceIDs(entries(t, s, root)[0]), "not the roles and keys that lose it")
	before := len(entries(t, s, root))
	for _, c := range []fsm.Command{
		&fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1},
		&fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: []fsm.RatelimitCheck{{Name: "r", Cost: 1, AdHoc: true, Limit: 5, Duration: 1000}}},
		&fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{limit}},
		&fsm.CreateAPI{ID: "api_1"},
		&fsm.DeleteKey{KeyID: "key_none"},
		&fsm.LinkKeyRoles{KeyID: "key_a", Op: fsm.AddLinks, Roles: []string{"editor"}},
		&fsm.SetRolePermissions{RoleID: "role_1", Permissions: []fsm.PermissionRef{{Slug: "a"}}}, // which drops the deleted one for good
		&fsm.UpdateKeyCredits{KeyID: "key_a", Change: fsm.BalanceChange{Op: fsm.Increment, Limited: true}},
		&fsm.UpdateWorkspace{WorkspaceID: "ws_1", Enabled: true},
		&fsm.OpenSession{Node: "n"},
	} {
		apply(t, s, c)
		require.Len(t, entries(t, s, root), before, "%T", c)
	}
}

// A command that touches more than an entry holds says how much more.
func TestAudit_BoundsTheResources(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256})
	c := &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1"}
	for i := range 150 {
		c.Keys = append(c.Keys, fsm.MigratedKey{
			ID: fmt.Sprintf("key_%03d", i), Hash: fsm.Hash{9, byte(i)}, Form: fsm.SHA256, Expires: fsm.Never, Credits: credits(int64(i)),
		})
	}
	c.Keys[0].ExternalID, c.Keys[0].IdentityID = "alice", "id_1"
	apply(t, s, c)
	e := entries(t, s, root)[0]
	require.Len(t, e.Resources, fsm.MaxAuditResources)
	require.EqualValues(t, 51, e.Omitted)
	require.Equal(t, "identity id_1", resourceIDs(e)[0])
	require.Len(t, e.Balances, 99, "of the resources that are listed")
	require.Equal(t, e.Resources[99], e.Balances[98].Owner)
}

// Two workspaces see nothing of each other's entries; what an operator does elsewhere stands in the operator's.
func TestAudit_StaysInItsWorkspace(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	apply(t, s, &fsm.CreateWorkspace{ID: "ws_2", Name: "second"})
	theirs := newRoot(t, s, 'o', "ws_2", fsm.AllPermissions()...)
	require.Empty(t, entries(t, s, theirs))
	as(t, s, theirs, &fsm.CreateAPI{ID: "api_2", KeyspaceID: "ks_2"})
	own := entries(t, s, theirs)
	require.Len(t, own, 1)
	require.Equal(t, []string{"api api_2"}, resourceIDs(own[0]))
	require.Equal(t, "key_root_o", own[0].ActorID)
	require.Equal(t, []string{"rootKey key_root_o"}, resourceIDs(entries(t, s, root)[0]))
	apply(t, s, &fsm.RevokeRootKey{KeyID: "key_root_o"})
	require.Equal(t, fsm.RootKeyRevoked, entries(t, s, root)[0].Event)

	poor := newRoot(t, s, 'p', "", "audit.*.write")
	require.Equal(t, fsm.InsufficientPermissions, code(s.Answer(poor, &fsm.ListAudit{To: fsm.Never, Page: fsm.Page{Limit: 1}})))
}

// alter makes n changes in one log entry.
func alter(t testing.TB, s *fsm.State, n int) {
	t.Helper()
	b := fsm.Batch{Stamp: s.Clock()}
	for i := range n {
		origin := &fsm.Origin{
			RequestID: fmt.Sprintf("req_%016d", i), RemoteAddr: fmt.Sprintf("203.0.113.195:%d", i),
			UserAgent: fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d) Gecko/20100101", i),
		}
		b.Calls = append(b.Calls, fsm.Call{Actor: root, Origin: origin, Command: &fsm.UpdateKeyCredits{
			KeyID: "key_a", Change: fsm.BalanceChange{Op: fsm.Increment, Limited: true, Value: 1},
		}})
	}
	for _, r := range s.Apply(b) {
		require.IsType(t, &fsm.Credits{}, r)
	}
}

// A page goes on where the last one ended, whatever is added in between, and filters bound what is looked at.
func TestAudit_Pages(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newKey(t, s, 'a', "", credits(0))
	created := s.Clock()
	alter(t, s, 4)
	advance(t, s, "2025-01-01 10:00:01.000")
	alter(t, s, 5)
	want := entries(t, s, root)
	require.Len(t, want, 10)
	var got []fsm.AuditEntry
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page := s.Answer(root, &fsm.ListAudit{To: fsm.Never, Page: fsm.Page{Limit: 3, Cursor: cursor}}).(*fsm.AuditEntries)
		got, cursor = append(got, page.List...), page.Next
		alter(t, s, 1)
	}
	require.Equal(t, want, got)

	list := func(q fsm.ListAudit) int {
		q.Page.Limit = 100
		return len(s.Answer(root, &q).(*fsm.AuditEntries).List)
	}
	require.Equal(t, 1, list(fsm.ListAudit{To: fsm.Never, Event: "key.create"}))
	require.Equal(t, 5, list(fsm.ListAudit{To: s.Clock(), ResourceID: "key_a"}))
	require.Equal(t, 14, list(fsm.ListAudit{From: created, To: fsm.Never, ActorID: "key_root"}))
	require.Equal(t, 9, list(fsm.ListAudit{From: created + 1, To: fsm.Never}))
	require.Zero(t, list(fsm.ListAudit{To: fsm.Never, ResourceID: "key_b"}))

	alter(t, s, 10_000)
	page := s.Answer(root, &fsm.ListAudit{To: fsm.Never, Event: "key.create", Page: fsm.Page{Limit: 1}}).(*fsm.AuditEntries)
	require.Empty(t, page.List, "a page looks at 10,000 entries")
	require.NotEmpty(t, page.Next)
	page = s.Answer(root, &fsm.ListAudit{To: fsm.Never, Event: "key.create", Page: fsm.Page{Limit: 1, Cursor: page.Next}}).(*fsm.AuditEntries)
	require.Len(t, page.List, 1)
	require.Empty(t, page.Next)
}

// Entries end after 30 days of log time, a few with each log entry, and on every node with the same one.
func TestAudit_EndsEverywhereAtOnce(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateWorkspace{ID: "ws_2", Name: "second"})
	theirs := newRoot(t, s, 'o', "ws_2", fsm.AllPermissions()...)
	advance(t, s, "2025-01-01 00:00:00.000")
	newKey(t, s, 'a', "", credits(0))
	for i := range 100 { // both workspaces at the same time, and later
		alter(t, s, 3)
		as(t, s, theirs, &fsm.CreateAPI{ID: fmt.Sprint("api ", i)})
		s.Apply(fsm.Batch{Stamp: s.Clock() + int64(i%3)})
	}
	again := restored(t, s)
	advance(t, s, "2025-01-30 23:59:59.999")
	require.Len(t, entries(t, s, root), 301)
	require.Equal(t, 401, s.Stats().AuditEntries)
	again.Apply(fsm.Batch{Stamp: s.Clock()})
	for n := range 20 {
		b := fsm.Batch{Stamp: at(t, "2025-01-31 00:00:00.050") + int64(n/4)}
		before := s.Stats().AuditEntries
		s.Apply(b)
		again.Apply(b)
		require.Equal(t, s.Digest(), again.Digest())
		require.LessOrEqual(t, before-s.Stats().AuditEntries, 64, "a log entry does not stop for all of them")
		if n%4 > 0 {
			require.Equal(t, before, s.Stats().AuditEntries, "an entry that changes nothing changes nothing")
		}
	}
	require.Less(t, s.Stats().AuditEntries, 200)
	for n := range int64(20) {
		s.Apply(fsm.Batch{Stamp: at(t, "2025-02-01") + n})
	}
	require.Zero(t, s.Stats().AuditEntries)
	require.Empty(t, entries(t, s, root))
	apply(t, s, &fsm.CreateAPI{ID: "api_9"})
	require.Len(t, entries(t, s, root), 1)
}

// A workspace keeps so many entries and no more, the newest ones.
func TestAudit_BoundsAWorkspace(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newKey(t, s, 'a', "", credits(0))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	alter(t, s, fsm.MaxAuditEntries+10)
	require.Equal(t, fsm.MaxAuditEntries, s.Stats().AuditEntries)
	require.Equal(t, fsm.KeyCreditsUpdated, entries(t, s, root)[fsm.MaxAuditEntries-1].Event)
	f := s.Freeze()
	require.LessOrEqual(t, f.Len, 2*fsm.MaxAuditEntries)
	f.Next(1_000_000, nil)
	f.Release(true)
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d bytes an entry", (after.HeapAlloc-before.HeapAlloc)/fsm.MaxAuditEntries)
	runtime.KeepAlive(s)
}

// Who changes a hundred things at once, with long ids, gets no more memory for it. Below ledger version 5 only the number counts. Contract 7.4, D-105.
func TestAudit_LargeEntriesCountForMore(t *testing.T) {
	items := make([]fsm.ImportItem, 100)
	for i := range items {
		id := fmt.Sprintf("key_%0200d", i)
		items[i] = fsm.ImportItem{Record: &fsm.KeyRecord{ID: id, Hash: fsm.Hash{'A', byte(i)}, APIID: "api_1", Expires: fsm.Never}, Credits: fsm.ImportedCredits{Limited: true}}
	}
	change := func(s *fsm.State, n int) {
		for round := range n {
			for i := range items {
				items[i].Credits.Remaining = int64(round)
			}
			importing(t, s, fsm.ReplaceOnConflict, items...)
		}
	}
	s := newImportLedgerOf(t, fsmtest.FourthRules)
	change(s, 3000)
	require.Greater(t, s.Stats().AuditEntries, 3000)
	full := s.Stats().AuditEntries
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.FifthRules, Build: "v1.5.0"})
	apply(t, s, &fsm.CreateAPI{ID: "api_9"})
	require.Equal(t, full+1-128, s.Stats().AuditEntries, "no entry ends many")
	change(s, 60)
	left := s.Stats().AuditEntries
	require.InDelta(t, 1400, left, 200, "70 KiB each")
	change(s, 100)
	require.Equal(t, left, s.Stats().AuditEntries)
	again := restored(t, s)
	change(s, 10)
	change(again, 10)
	require.Equal(t, s.Digest(), again.Digest(), "a node that came up counts alike")
}

// After years without a sweep, what comes pushes out what is too old: the number of entries follows those that are to be kept.
func TestAudit_StaysBounded(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	newKey(t, s, 'a', "", credits(0))
	for month := range int64(10) {
		s.Apply(fsm.Batch{Stamp: at(t, "2025-01-02") + month*31*86_400_000})
		alter(t, s, 1000)
		require.LessOrEqual(t, s.Stats().AuditEntries, 1001)
		want := 1000
		if month == 0 {
			want++ // that of the key
		}
		require.Len(t, entries(t, s, root), want)
	}
}
