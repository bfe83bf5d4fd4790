package fsm_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// everyImport has one record of each kind, in the order of kinds.
func everyImport() []fsm.ImportItem {
	refilled := time.Date(2025, 3, 1, 0, 5, 0, 0, time.UTC).UnixMilli()
	limits := []fsm.Ratelimit{{ID: "rl_1", Name: "a", Limit: 1, Duration: 1000}, {ID: "rl_2", Name: "b", Limit: 2, Duration: 2000, AutoApply: true}}
	return []fsm.ImportItem{
		{Record: &fsm.WorkspaceRecord{ID: "ws_9", Name: "Acme", CreatedAt: 1, Enabled: true, Quotas: fsm.Quotas{fsm.APIsQuota: {Limited: true, Limit: 5}}}},
		{WorkspaceID: "ws_9", Record: &fsm.RootKeyRecord{ID: "key_r9", Hash: fsm.Hash{'R'}, Name: "ci", Permissions: []string{"b", "a"}, CreatedAt: 2, Expires: fsm.Never, Enabled: true}},
		{WorkspaceID: "ws_9", Record: &fsm.APIRecord{ID: "api_9", KeyspaceID: "ks_9", Name: "n", CreatedAt: 3, Protected: true}},
		{WorkspaceID: "ws_9", Record: &fsm.MigrationRecord{ID: "mig", Algorithm: fsm.SHA256, CreatedAt: 4}},
		{WorkspaceID: "ws_9", Record: &fsm.PermissionRecord{ID: "perm_2", Name: "w", Slug: "Docs.write", Description: "d", CreatedAt: 5}},
		{WorkspaceID: "ws_9", Record: &fsm.PermissionRecord{ID: "perm_1", Name: "r", Slug: "docs.read", CreatedAt: 5}},
		{WorkspaceID: "ws_9", Record: &fsm.RoleRecord{ID: "role_1", Name: "Editor", Description: "d", Permissions: []string{"perm_2", "perm_1"}, CreatedAt: 6}},
		{
			WorkspaceID: "ws_9",
			Record:      &fsm.IdentityRecord{ID: "id_9", ExternalID: "user 9", Meta: `{"a":1}`, Policy: fsm.BothPay, CreatedAt: 7, Ratelimits: limits},
			Credits:     fsm.ImportedCredits{Limited: true, Remaining: 70, Refill: daily(100), RefilledAt: refilled, Considered: refilled / 86_400_000},
		},
		{
			WorkspaceID: "ws_9",
			Record: &fsm.KeyRecord{
				ID: "key_9", Hash: fsm.Hash{'K'}, FormerHash: fsm.Hash{'F'}, Start: "sk_1", APIID: "api_9", IdentityID: "id_9", Name: "n", Meta: `{"b":2}`,
				CreatedAt: 8, UpdatedAt: 9, LastUsedAt: 10, Expires: 4_000_000_000_000, Enabled: true, Permissions: []string{"perm_1"}, Roles: []string{"role_1"},
				Ratelimits: limits,
			},
			Credits: fsm.ImportedCredits{Limited: true, Remaining: 5},
		},
		{WorkspaceID: "ws_9", Record: &fsm.NamespaceRecord{ID: "rlns_9", Name: "email", CreatedAt: 11}},
		{WorkspaceID: "ws_9", Record: &fsm.OverrideRecord{ID: "rlor_9", NamespaceID: "rlns_9", Identifier: "*@a", Limit: 0, Duration: 1000, CreatedAt: 12}},
	}
}

// importRoot is a root key that may import: the first one may not.
var importRoot = fsm.Hash{'r', 'i'}

func newImportLedger(t testing.TB) *fsm.State { return newImportLedgerOf(t, fsmtest.FifthRules) }

func newImportLedgerOf(t testing.TB, version uint64) *fsm.State {
	s := newLedgerOf(t, version)
	newRoot(t, s, 'i', "ws_1", fsm.AllPermissions()...)
	return s
}

// importBy executes an import.
func importBy(t testing.TB, s *fsm.State, c *fsm.ImportRecords) []fsm.ImportOutcome {
	t.Helper()
	r := s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: importRoot, Command: c}}})[0]
	require.NoError(t, s.CheckInvariants())
	require.IsType(t, &fsm.Imported{}, r)
	return r.(*fsm.Imported).Outcomes
}

func importing(t testing.TB, s *fsm.State, rule fsm.ConflictRule, items ...fsm.ImportItem) []fsm.ImportOutcome {
	t.Helper()
	return importBy(t, s, &fsm.ImportRecords{OnConflict: rule, Items: items})
}

func all(status fsm.ImportStatus, reason fsm.ImportReason) []fsm.ImportOutcome {
	list := make([]fsm.ImportOutcome, len(everyImport()))
	for i := range list {
		list[i] = fsm.ImportOutcome{Status: status, Reason: reason}
	}
	return list
}

// A second run changes nothing, whatever the rule; ids, times and balances are those of the records.
func TestImport_OfEachKindIsIdempotent(t *testing.T) {
	s := newImportLedger(t)
	require.Equal(t, all(fsm.ImportCreated, 0), importing(t, s, fsm.FailOnConflict, everyImport()...))
	before := s.Digest()
	for _, rule := range []fsm.ConflictRule{fsm.FailOnConflict, fsm.SkipOnConflict, fsm.ReplaceOnConflict} {
		require.Equal(t, all(fsm.ImportUnchanged, 0), importing(t, s, rule, everyImport()...))
		require.Equal(t, before, s.Digest())
	}
	theirs := newRoot(t, s, 'n', "ws_9", fsm.AllPermissions()...)
	k := s.Answer(theirs, &fsm.GetKey{KeyID: "key_9"}).(*fsm.Key)
	require.Equal(t, []any{int64(8), int64(9), int64(10)}, []any{k.CreatedAt, k.UpdatedAt, k.LastUsedAt})
	require.Equal(t, []string{"Docs.write", "docs.read"}, k.Permissions)
	require.Equal(t, fsm.Credits{Limited: true, Remaining: 5}, k.Credits)
	require.EqualValues(t, 70, k.Identity.Credits.Remaining)
	s.Apply(fsm.Batch{Stamp: time.Date(2025, 3, 2, 0, 0, 0, 0, time.UTC).UnixMilli()})
	k = s.Answer(theirs, &fsm.GetKey{KeyID: "key_9"}).(*fsm.Key)
	require.EqualValues(t, 100, k.Identity.Credits.Remaining, "the next refill is due")
}

// changed is every record with another value in a field that may change.
func changed() []fsm.ImportItem {
	items := everyImport()
	for i := range items {
		switch r := items[i].Record.(type) {
		case *fsm.WorkspaceRecord:
			r.Name = "Other"
		case *fsm.RootKeyRecord:
			r.Hash = fsm.Hash{'S'}
		case *fsm.APIRecord:
			r.Protected = false
		case *fsm.MigrationRecord:
			r.CreatedAt++
		case *fsm.PermissionRecord:
			r.Slug += ".x"
		case *fsm.RoleRecord:
			r.Permissions = r.Permissions[:1]
		case *fsm.IdentityRecord:
			r.ExternalID = "user 10"
			items[i].Credits.Remaining = 71
		case *fsm.KeyRecord:
			r.Hash, r.FormerHash, r.IdentityID, r.Roles = fsm.Hash{'L'}, fsm.Hash{}, "", nil
			items[i].Credits = fsm.ImportedCredits{}
		case *fsm.NamespaceRecord:
			r.Name = "sms"
		case *fsm.OverrideRecord:
			r.Limit = 9
		}
	}
	return items
}

// What exists and differs is told, left or replaced; a replaced one is as if it had been imported so.
func TestImport_OfWhatDiffers(t *testing.T) {
	s, fresh := newImportLedger(t), newImportLedger(t)
	importing(t, s, fsm.FailOnConflict, everyImport()...)
	before := s.Digest()
	require.Equal(t, all(fsm.ImportConflict, fsm.ImportDifferent), importing(t, s, fsm.FailOnConflict, changed()...))
	require.Equal(t, all(fsm.ImportSkipped, fsm.ImportDifferent), importing(t, s, fsm.SkipOnConflict, changed()...))
	require.Equal(t, before, s.Digest())
	require.Equal(t, all(fsm.ImportReplaced, 0), importing(t, s, fsm.ReplaceOnConflict, changed()...))
	require.Equal(t, all(fsm.ImportUnchanged, 0), importing(t, s, fsm.FailOnConflict, changed()...))
	require.Equal(t, all(fsm.ImportCreated, 0), importing(t, fresh, fsm.FailOnConflict, changed()...))
	require.Equal(t, visible(t, fresh), visible(t, s))
	// Names and hashes that were given up are free.
	require.Equal(t, fsm.ImportOutcome{Status: fsm.ImportCreated}, importing(t, s, fsm.FailOnConflict, fsm.ImportItem{
		WorkspaceID: "ws_9", Record: &fsm.KeyRecord{ID: "key_10", Hash: fsm.Hash{'F'}, APIID: "api_9", Expires: fsm.Never},
	})[0])
}

func visible(t testing.TB, s *fsm.State) []fsm.Result {
	theirs := newRoot(t, s, 'n', "ws_9", fsm.AllPermissions()...)
	return []fsm.Result{
		s.Answer(theirs, &fsm.GetKey{KeyID: "key_9"}), s.Answer(theirs, &fsm.GetIdentity{Identity: "user 10"}),
		s.Answer(theirs, &fsm.GetRole{Role: "editor"}), s.Answer(theirs, &fsm.GetPermission{Permission: "docs.read.x"}),
		s.Answer(theirs, &fsm.ListOverrides{Namespace: "sms", Limit: 10}),
	}
}

// Nothing foreign is touched, nothing deleted comes back, and nothing is taken twice.
func TestImport_Conflicts(t *testing.T) {
	s := newImportLedger(t)
	importing(t, s, fsm.FailOnConflict, everyImport()...)
	tenant := newRoot(t, s, 'n', "ws_9", "import.*.write", "api.*.delete_key", "identity.*.delete_identity")
	as := func(item fsm.ImportItem) fsm.ImportOutcome {
		r := s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: tenant, Command: &fsm.ImportRecords{OnConflict: fsm.ReplaceOnConflict, Items: []fsm.ImportItem{item}}}}})[0]
		require.NoError(t, s.CheckInvariants())
		return r.(*fsm.Imported).Outcomes[0]
	}
	refused := func(status fsm.ImportStatus, reason fsm.ImportReason, items ...fsm.ImportItem) {
		t.Helper()
		before := s.Digest()
		for _, item := range items {
			require.Equal(t, fsm.ImportOutcome{Status: status, Reason: reason}, as(item), "%+v", item.Record)
		}
		require.Equal(t, before, s.Digest())
	}
	key := func(change func(*fsm.KeyRecord)) fsm.ImportItem {
		r := &fsm.KeyRecord{ID: "key_n", Hash: fsm.Hash{'N'}, APIID: "api_9", Expires: fsm.Never}
		change(r)
		return fsm.ImportItem{Record: r}
	}
	refused(fsm.ImportInvalid, fsm.ImportOperatorOnly,
		everyImport()[0], fsm.ImportItem{Record: &fsm.RootKeyRecord{ID: "key_x"}}, fsm.ImportItem{WorkspaceID: "ws_1", Record: &fsm.APIRecord{ID: "api_x"}},
		fsm.ImportItem{WorkspaceID: "ws_none", Record: &fsm.APIRecord{ID: "api_x"}})
	refused(fsm.ImportConflict, fsm.ImportIDTaken, fsm.ImportItem{Record: &fsm.APIRecord{ID: "api_1", Name: "mine"}})
	refused(fsm.ImportConflict, fsm.ImportHashTaken,
		key(func(r *fsm.KeyRecord) { r.Hash = fsm.Hash{'K'} }), key(func(r *fsm.KeyRecord) { r.Hash = fsm.Hash{'F'} }),
		key(func(r *fsm.KeyRecord) { r.Hash = root }), key(func(r *fsm.KeyRecord) { r.FormerHash = fsm.Hash{'K'} }))
	refused(fsm.ImportConflict, fsm.ImportNotFound,
		key(func(r *fsm.KeyRecord) { r.APIID = "api_1" }), key(func(r *fsm.KeyRecord) { r.IdentityID = "id_0" }),
		key(func(r *fsm.KeyRecord) { r.Permissions = []string{"perm_0"} }), key(func(r *fsm.KeyRecord) { r.Roles = []string{"role_0"} }),
		fsm.ImportItem{Record: &fsm.OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_0", Duration: 1000}},
		fsm.ImportItem{Record: &fsm.ImportMarkRecord{Owner: "key_0"}})
	refused(fsm.ImportConflict, fsm.ImportNameTaken,
		fsm.ImportItem{Record: &fsm.IdentityRecord{ID: "id_n", ExternalID: "user 9"}}, fsm.ImportItem{Record: &fsm.PermissionRecord{ID: "perm_n", Slug: "docs.WRITE"}},
		fsm.ImportItem{Record: &fsm.RoleRecord{ID: "role_n", Name: "editor"}}, fsm.ImportItem{Record: &fsm.NamespaceRecord{ID: "rlns_n", Name: "email"}},
		fsm.ImportItem{Record: &fsm.OverrideRecord{ID: "rlor_n", NamespaceID: "rlns_9", Identifier: "*@a", Duration: 1000}})
	refused(fsm.ImportInvalid, fsm.ImportOverLimit, fsm.ImportItem{Record: &fsm.IdentityRecord{ID: "id_n"}, Credits: fsm.ImportedCredits{Limited: true, Remaining: -1}},
		fsm.ImportItem{Record: &fsm.IdentityRecord{ID: "id_n"}, Credits: fsm.ImportedCredits{Refill: daily(1)}})
	refused(fsm.ImportConflict, fsm.ImportNotTracked, fsm.ImportItem{Record: &fsm.ImportMarkRecord{Owner: "key_9"}})
	apply(t, s, &fsm.UpdateWorkspace{WorkspaceID: "ws_9", KeepEnabled: true, Quotas: fsm.QuotaChanges{fsm.KeysQuota: fsm.Set[int64](1)}})
	refused(fsm.ImportConflict, fsm.ImportOverQuota, key(func(*fsm.KeyRecord) {}))
	for _, c := range []fsm.Command{&fsm.DeleteKey{KeyID: "key_9"}, &fsm.DeleteIdentity{Identity: "user 9"}} {
		require.IsType(t, &fsm.Done{}, s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: tenant, Command: c}}})[0])
	}
	gone := everyImport()[7]
	gone.WorkspaceID = ""
	refused(fsm.ImportConflict, fsm.ImportDeleted, gone)
}

// twoSides is one account that two systems charge, as one system would keep it.
type twoSides struct {
	balance, granted, charged int64
}

// midnight fills the account up, as contract 4.3 says.
func (a *twoSides) midnight(amount int64) {
	if a.balance < amount {
		a.granted += amount - a.balance
		a.balance = amount
	}
}

// source is the other system.
type source struct {
	remaining, refilledAt int64
}

// Charges of both sides, refills of both sides at the ends of days and months, and passes at any time, repeated and out of date: in the end the
// ledger has what one account would have. Both sides charge every day, so that each gives each refill. Below ledger version 5 that needs a pass
// between the last charge of the source and the refill. An older mark follows the older rule until the first pass after the rise.
func TestImport_BalancesByDifferenceAreExact(t *testing.T) {
	for seed := range uint64(90) {
		rng := rand.New(rand.NewPCG(seed, 1))
		amount := int64(1000)
		refill := []fsm.Refill{daily(amount), monthly(amount, 31), monthly(amount, 15)}[seed%3]
		older, rises := seed >= 30, seed >= 60
		s := newImportLedgerOf(t, fsmtest.FifthRules)
		if older {
			s = newImportLedgerOf(t, fsmtest.FourthRules)
		}
		now := time.Date(2025, 1, 28, 12, 0, 0, 0, time.UTC)
		s.Apply(fsm.Batch{Stamp: now.UnixMilli()})
		one, there := twoSides{balance: 900, granted: 900}, source{remaining: 900}
		credits := func(of source) fsm.ImportedCredits {
			return fsm.ImportedCredits{Limited: true, Remaining: of.remaining, Refill: refill, RefilledAt: of.refilledAt, Considered: now.UnixMilli() / 86_400_000}
		}
		require.Equal(t, fsm.ImportCreated, importBy(t, s, &fsm.ImportRecords{Track: true, ReadAt: now.UnixMilli(), Items: []fsm.ImportItem{{
			Record: &fsm.KeyRecord{ID: "key_1", Hash: fsm.Hash{'k'}, APIID: "api_1", Expires: fsm.Never, Enabled: true}, Credits: credits(there),
		}}})[0].Status)
		type reading struct {
			at      int64
			credits fsm.ImportedCredits
		}
		var readings []reading
		pass := func(r reading) {
			o := importBy(t, s, &fsm.ImportRecords{ReadAt: r.at, Items: []fsm.ImportItem{{Record: &fsm.ImportMarkRecord{Owner: "key_1"}, Credits: r.credits}}})[0]
			require.Contains(t, []fsm.ImportStatus{fsm.ImportReplaced, fsm.ImportUnchanged}, o.Status, "%v", o)
		}
		read := func() reading {
			r := reading{now.UnixMilli(), credits(there)}
			readings = append(readings, r)
			return r
		}
		for day := range 70 {
			if rises && day == 35 {
				s.Apply(fsm.Batch{Calls: []fsm.Call{{Command: &fsm.RaiseLedgerVersion{Version: fsmtest.FifthRules, Build: "v1.5.0"}}}})
			}
			for range 3 {
				now = now.Add(time.Duration(1+rng.IntN(60)) * time.Minute)
				cost := int64(1 + rng.IntN(5))
				one.balance, one.charged = one.balance-cost, one.charged+cost
				if rng.IntN(2) == 0 {
					there.remaining -= cost
				} else {
					r := s.Apply(fsm.Batch{Stamp: now.UnixMilli(), Calls: []fsm.Call{{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: cost}}}})[0]
					require.Equal(t, fsm.Valid, r.(*fsm.Verdict).Code)
				}
				if rng.IntN(4) == 0 {
					now = now.Add(time.Millisecond)
					r := read()
					pass(r)
					if rng.IntN(2) == 0 {
						pass(r) // again
					}
					pass(readings[rng.IntN(len(readings))]) // late
				}
			}
			// Both sides charge before the day ends, so both give its refill.
			now = now.Add(time.Millisecond)
			one.balance, one.charged, there.remaining = one.balance-2, one.charged+2, there.remaining-1
			s.Apply(fsm.Batch{Stamp: now.UnixMilli(), Calls: []fsm.Call{{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}}}})
			if older && (!rises || day < 36) {
				pass(read()) // what was charged before a refill is known when the refill comes
			}
			day := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
			if isDue(refill, day) {
				one.midnight(amount)
				if there.remaining < amount {
					there.remaining, there.refilledAt = amount, day.Add(5*time.Minute).UnixMilli()
				}
			}
			now = day.Add(time.Duration(6+rng.IntN(600)) * time.Minute)
		}
		pass(read())
		s.Apply(fsm.Batch{Stamp: now.UnixMilli()})
		k := getKey(t, s, "key_1")
		require.Equal(t, one.balance, k.Credits.Remaining, "seed %d", seed)
		require.Equal(t, one.granted-one.charged, k.Credits.Remaining, "seed %d", seed)
	}
}

func isDue(r fsm.Refill, day time.Time) bool {
	last := day.AddDate(0, 0, 1).Day() == 1
	return r.Interval == fsm.Daily || day.Day() == int(r.Day) || last && int(r.Day) > day.Day()
}
