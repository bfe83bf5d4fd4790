package fsm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// trackedImport is an API, an identity with a key that has credits, and another key.
func trackedImport() []fsm.ImportItem {
	return []fsm.ImportItem{
		{Record: &fsm.APIRecord{ID: "api_t", KeyspaceID: "ks_t", Name: "n"}},
		{Record: &fsm.IdentityRecord{ID: "id_t", ExternalID: "t"}, Credits: fsm.ImportedCredits{Limited: true, Remaining: 70}},
		{
			Record:  &fsm.KeyRecord{ID: "key_t", Hash: fsm.Hash{'T'}, APIID: "api_t", IdentityID: "id_t", Expires: fsm.Never, Enabled: true},
			Credits: fsm.ImportedCredits{Limited: true, Remaining: 5},
		},
		{
			Record:  &fsm.KeyRecord{ID: "key_u", Hash: fsm.Hash{'U'}, APIID: "api_1", Expires: fsm.Never, Enabled: true},
			Credits: fsm.ImportedCredits{Limited: true, Remaining: 7},
		},
	}
}

// bury lets the ledger remove what is deleted.
func bury(t *testing.T, s *fsm.State) {
	for range 10 {
		s.Apply(fsm.Batch{Stamp: s.Clock() + 1})
	}
	require.NoError(t, s.CheckInvariants())
}

// What was imported with tracking and then deleted in the cluster never comes back by a repetition, whatever deleted it. finishImport ends that.
func TestImport_OfWhatWasDeletedGrantsNothing(t *testing.T) {
	deleted := fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: fsm.ImportDeleted}
	missing := fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: fsm.ImportNotFound}
	there := fsm.ImportOutcome{Status: fsm.ImportUnchanged}
	for name, c := range map[string]struct {
		command fsm.Command
		want    []fsm.ImportOutcome
	}{
		"key":                {&fsm.DeleteKey{KeyID: "key_u"}, []fsm.ImportOutcome{there, there, there, deleted}},
		"identity":           {&fsm.DeleteIdentity{Identity: "t"}, []fsm.ImportOutcome{there, deleted, missing, there}},
		"identity with keys": {&fsm.DeleteIdentity{Identity: "t", DeleteKeys: true}, []fsm.ImportOutcome{there, deleted, deleted, there}},
		"api":                {&fsm.DeleteAPI{APIID: "api_t"}, []fsm.ImportOutcome{deleted, there, deleted, there}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newImportLedger(t)
			importBy(t, s, &fsm.ImportRecords{Track: true, Items: trackedImport()})
			apply(t, s, c.command)
			bury(t, s)
			s = restored(t, s)
			before, granted := s.Digest(), s.Stats().Totals.Granted
			for _, rule := range []fsm.ConflictRule{fsm.FailOnConflict, fsm.ReplaceOnConflict, fsm.SkipOnConflict} {
				for _, track := range []bool{true, false} {
					got := importBy(t, s, &fsm.ImportRecords{OnConflict: rule, Track: track, Items: trackedImport()})
					for i, o := range got {
						want := c.want[i]
						if rule == fsm.SkipOnConflict && want == deleted {
							want.Status = fsm.ImportSkipped
						}
						require.Equal(t, want, o, "record %d, rule %d", i, rule)
					}
				}
			}
			for i, owner := range []fsm.ImportMarkRecord{{Owner: "id_t", Of: fsm.MarkedIdentity}, {Owner: "key_t"}, {Owner: "key_u"}} {
				if c.want[i+1] == deleted {
					require.Equal(t, deleted, importing(t, s, fsm.FailOnConflict, fsm.ImportItem{Record: &owner, Credits: fsm.ImportedCredits{Limited: true, Remaining: 500}})[0])
				}
			}
			require.Equal(t, before, s.Digest())
			require.Equal(t, granted, s.Stats().Totals.Granted)
			finish := func(most int64) fsm.Result {
				return s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: importRoot, Command: &fsm.FinishImport{Most: most}}}})[0]
			}
			require.Equal(t, &fsm.ImportFinished{Ended: 3, More: true}, finish(3))
			require.Equal(t, &fsm.ImportFinished{Ended: 1}, finish(3))
			for i, o := range importing(t, s, fsm.FailOnConflict, trackedImport()...) {
				if name == "identity" && i == 2 { // it has no identity any more
					require.Equal(t, fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: fsm.ImportDifferent}, o)
					continue
				}
				require.Contains(t, []fsm.ImportStatus{fsm.ImportCreated, fsm.ImportUnchanged}, o.Status, "record %d is a first import again", i)
			}
		})
	}
}

// An id that another workspace imported stays taken while its mark is there.
func TestImport_MarksOfAnotherWorkspace(t *testing.T) {
	s := newImportLedger(t)
	apply(t, s, &fsm.CreateWorkspace{ID: "ws_9", Name: "n"})
	theirs := newRoot(t, s, 'n', "ws_9", fsm.AllPermissions()...)
	importBy(t, s, &fsm.ImportRecords{Track: true, Items: trackedImport()})
	for _, c := range []fsm.Command{&fsm.DeleteKey{KeyID: "key_t"}, &fsm.DeleteIdentity{Identity: "t"}, &fsm.DeleteAPI{APIID: "api_t"}} {
		apply(t, s, c)
	}
	bury(t, s)
	taken := fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: fsm.ImportIDTaken}
	got := s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: theirs, Command: &fsm.ImportRecords{Track: true, Items: append(trackedImport()[:3],
		fsm.ImportItem{Record: &fsm.APIRecord{ID: "api_9"}})}}}})[0].(*fsm.Imported).Outcomes
	require.Equal(t, []fsm.ImportOutcome{taken, taken, {Status: fsm.ImportConflict, Reason: fsm.ImportIDTaken}, {Status: fsm.ImportCreated}}, got)
	require.Equal(t, s.Digest(), restored(t, s).Digest())
}

// Marks of what was deleted are bounded by the quotas.
func TestImport_MarksAreBounded(t *testing.T) {
	s := newImportLedger(t)
	limited := fsm.Set[int64](4)
	apply(t, s, &fsm.UpdateWorkspace{WorkspaceID: "ws_1", KeepEnabled: true, Quotas: fsm.QuotaChanges{
		fsm.KeysQuota: limited, fsm.IdentitiesQuota: limited, fsm.APIsQuota: limited,
	}})
	for n := range 13 {
		id := fmt.Sprintf("key_%d", n)
		want := fsm.ImportOutcome{Status: fsm.ImportCreated}
		if n == 12 {
			want = fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: fsm.ImportOverQuota}
		}
		key := &fsm.KeyRecord{ID: id, Hash: fsm.Hash{'k', byte(n)}, APIID: "api_1", Expires: fsm.Never}
		require.Equal(t, want, importBy(t, s, &fsm.ImportRecords{Track: true, Items: []fsm.ImportItem{{Record: key}}})[0])
		if n < 12 {
			apply(t, s, &fsm.DeleteKey{KeyID: id})
		}
	}
}

// Migrations have no quota, so imports leave a limit.
func TestImport_MigrationsAreBounded(t *testing.T) {
	s := newImportLedger(t)
	for n := range 1001 {
		want := fsm.ImportOutcome{Status: fsm.ImportCreated}
		if n == 1000 {
			want = fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: fsm.ImportOverLimit}
		}
		m := fsm.ImportItem{Record: &fsm.MigrationRecord{ID: fmt.Sprintf("mig_%d", n), Algorithm: fsm.SHA256}}
		require.Equal(t, want, importing(t, s, fsm.FailOnConflict, m)[0])
	}
}

// A key that lost its balance with its identity has nothing to spend, also when an import replaces its other fields.
func TestImport_OfAnOrphanedKeyGivesItNothing(t *testing.T) {
	for _, track := range []bool{false, true} {
		s := newImportLedger(t)
		items := trackedImport()[:3]
		items[2].Credits = fsm.ImportedCredits{}
		importBy(t, s, &fsm.ImportRecords{Track: track, Items: items})
		apply(t, s, &fsm.DeleteIdentity{Identity: "t"})
		require.Equal(t, fsm.Credits{Limited: true}, getKey(t, s, "key_t").Credits)
		again := trackedImport()[2]
		k := again.Record.(*fsm.KeyRecord)
		k.IdentityID, k.Name, again.Credits = "", "renamed", fsm.ImportedCredits{Limited: true}
		if track {
			again.Credits = fsm.ImportedCredits{} // as the source has it
		}
		require.Equal(t, fsm.ImportReplaced, importing(t, s, fsm.ReplaceOnConflict, again)[0].Status)
		require.Equal(t, "renamed", getKey(t, s, "key_t").Name)
		require.Equal(t, fsm.Credits{Limited: true}, getKey(t, s, "key_t").Credits, "tracked: %v", track)
		require.Equal(t, s.Digest(), restored(t, s).Digest())
	}
}

// A tracked key that is charged by its identity, then made unlimited, then orphaned, still has one balance in the books.
func TestImport_OfAnOrphanedKeyThatWasLimited(t *testing.T) {
	s := newImportLedger(t)
	importBy(t, s, &fsm.ImportRecords{Track: true, Items: trackedImport()[:3]})
	apply(t, s, &fsm.UpdateKeyCredits{KeyID: "key_t", Change: fsm.BalanceChange{Op: fsm.SetBalance}})
	apply(t, s, &fsm.DeleteIdentity{Identity: "t"})
	more := trackedImport()[2]
	k := more.Record.(*fsm.KeyRecord)
	k.IdentityID, k.Name, more.Credits.Remaining = "", "renamed", 9
	require.Equal(t, fsm.ImportReplaced, importing(t, s, fsm.ReplaceOnConflict, more)[0].Status)
	require.EqualValues(t, 4, getKey(t, s, "key_t").Credits.Remaining)
	require.Equal(t, s.Digest(), restored(t, s).Digest())
}

// What the cluster set stays: a refill that it gave an owner without a balance in the source, and one that is newer than the record.
func TestImport_ReplaceKeepsRefillsOfTheCluster(t *testing.T) {
	s := newImportLedger(t)
	item := trackedImport()[3]
	item.Credits = fsm.ImportedCredits{}
	importBy(t, s, &fsm.ImportRecords{Track: true, ReadAt: 10, Items: []fsm.ImportItem{item}})
	apply(t, s, &fsm.UpdateKey{KeyID: "key_u", Credits: fsm.CreditsChange{Remaining: fsm.Set[int64](8), Refill: fsm.Set(daily(9))}})
	item.Record.(*fsm.KeyRecord).Name = "renamed"
	importBy(t, s, &fsm.ImportRecords{OnConflict: fsm.ReplaceOnConflict, Track: true, ReadAt: 10, Items: []fsm.ImportItem{item}})
	require.Equal(t, "renamed", getKey(t, s, "key_u").Name)
	require.Equal(t, fsm.Credits{Limited: true, Remaining: 8, Refill: daily(9)}, getKey(t, s, "key_u").Credits)
}
