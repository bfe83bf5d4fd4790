package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// Of two new identities with one id the second would be unknown to the ledger. One that exists, with that id beside it, must not hide
// that the id is taken.
func TestMigrateKeys_RefusesAnIdentityIDTwice(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256})
	newIdentity(t, s, "old", fsm.NewCredits{}, fsm.IdentityPays)
	c := &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1"}
	for i, externalID := range []string{"new", "old", "other"} {
		c.Keys = append(c.Keys, fsm.MigratedKey{
			ID: "key_" + externalID, Hash: fsm.Hash{byte(i), 1}, Form: fsm.SHA256, ExternalID: externalID, IdentityID: "id_1", Enabled: true,
		})
	}
	before := s.Digest()
	require.Equal(t, &fsm.Refusal{Code: fsm.IDTaken}, apply(t, s, c))
	require.Equal(t, before, s.Digest())
}

// migrating is a ledger with two migrations of the same workspace, and what a migration of one key answers.
func migrating(t testing.TB, version uint64) (s *fsm.State, migrate func(id string, hash fsm.Hash) *fsm.Migrated) {
	t.Helper()
	s = newLedgerOf(t, version)
	for _, id := range []string{"mig", "other"} {
		require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: id, Algorithm: fsm.PrefixedAPIKey})))
	}
	return s, func(id string, hash fsm.Hash) *fsm.Migrated {
		t.Helper()
		m, ok := apply(t, s, &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1", Keys: []fsm.MigratedKey{{
			ID: id, Hash: hash, Form: fsm.PrefixedAPIKey, Expires: fsm.Never, Enabled: true, Credits: credits(10),
		}}}).(*fsm.Migrated)
		require.True(t, ok)
		return m
	}
}

func added(id string) *fsm.Migrated { return &fsm.Migrated{IDs: []string{id}} }

func failed(why fsm.MigrationFailure) *fsm.Migrated {
	return &fsm.Migrated{IDs: []string{""}, Failures: []fsm.MigrationFailure{why}}
}

// present verifies a key of the migration by its full text, whose hash is full.
func present(full, long fsm.Hash, cost int64) *fsm.VerifyMigrated {
	return &fsm.VerifyMigrated{Verify: fsm.VerifyKey{Hash: full, Cost: cost}, MigrationID: "mig", Hash: long, Start: "a_b"}
}

// A hash that was taken over stays taken in its workspace while its key lives, and so nobody gets its credits twice [D-25].
func TestMigrateKeys_HandsOutOnce(t *testing.T) {
	long, full := fsm.Hash{'m'}, fsm.Hash{'f'}
	for _, end := range []fsm.Command{
		nil, &fsm.DeleteKey{KeyID: "key_m"}, &fsm.DeleteKey{KeyID: "key_m", Permanent: true},
	} {
		s, migrate := migrating(t, fsmtest.SecondRules)
		require.Equal(t, added("key_m"), migrate("key_m", long))
		require.Equal(t, failed(fsm.HashInUse), migrate("key_n", long))
		require.Equal(t, fsm.Valid, apply(t, s, present(full, long, 10)).(*fsm.Verdict).Code)
		require.Equal(t, failed(fsm.HashTakenOver), migrate("key_n", long))
		s2 := restored(t, s)
		r := apply(t, s2, &fsm.MigrateKeys{MigrationID: "other", APIID: "api_1", Keys: []fsm.MigratedKey{{ID: "key_n", Hash: long, Form: fsm.PrefixedAPIKey}}})
		require.Equal(t, failed(fsm.HashTakenOver), r, "after a restart, and in another migration of the workspace")
		require.Equal(t, fsm.NotFound, apply(t, s, present(fsm.Hash{'g'}, long, 0)).(*fsm.Verdict).Code, "another prefix finds nothing")

		apply(t, s, &fsm.RerollKey{KeyID: "key_m", NewID: "key_z", Hash: fsm.Hash{'z'}, Expiration: 60_000})
		require.Equal(t, failed(fsm.HashTakenOver), migrate("key_n", long))
		if end == nil {
			continue
		}
		require.Zero(t, code(apply(t, s, end)))
		require.Equal(t, added("key_n"), migrate("key_n", long), "%T: the hash goes with its key", end)
		require.Equal(t, fsm.Valid, apply(t, s, present(full, long, 10)).(*fsm.Verdict).Code, "the full hash is free as well")
		require.Equal(t, failed(fsm.HashTakenOver), migrate("key_o", long))
	}
}

// The hash is taken per workspace: another one may bring the same key.
func TestMigrateKeys_TakesAHashPerWorkspace(t *testing.T) {
	s, migrate := migrating(t, fsmtest.SecondRules)
	require.Equal(t, added("key_m"), migrate("key_m", fsm.Hash{'m'}))
	apply(t, s, present(fsm.Hash{'f'}, fsm.Hash{'m'}, 1))
	apply(t, s, &fsm.CreateWorkspace{ID: "ws_2"})
	foreign := newRoot(t, s, 'f', "ws_2", fsm.AllPermissions()...)
	as(t, s, foreign, &fsm.CreateAPI{ID: "api_2", KeyspaceID: "ks_2"})
	as(t, s, foreign, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.PrefixedAPIKey})
	r := as(t, s, foreign, &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_2", Keys: []fsm.MigratedKey{
		{ID: "key_n", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey}, {ID: "key_o", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey},
		{ID: "key_p", Hash: fsm.Hash{'f'}, Form: fsm.PrefixedAPIKey}, {ID: "key_q", Hash: fsm.Hash{'x'}, Form: fsm.SHA256},
	}})
	require.Equal(t, &fsm.Migrated{IDs: []string{"key_n", "", "", ""}, Failures: []fsm.MigrationFailure{
		0, fsm.HashRepeated, fsm.HashInUse, fsm.HashUnfit,
	}}, r)
}

// Every way to delete a key frees its hash, for the ledger and after a restart; older ledgers keep it taken [D-25].
func TestMigrateKeys_DeletedKeysFreeTheirHashes(t *testing.T) {
	for _, end := range []fsm.Command{
		&fsm.DeleteKey{KeyID: "key_m"}, &fsm.DeleteKey{KeyID: "key_m", Permanent: true}, &fsm.DeleteAPI{APIID: "api_2"},
		&fsm.DeleteIdentity{Identity: "u", DeleteKeys: true},
	} {
		s, migrate := migrating(t, fsmtest.SecondRules)
		apply(t, s, &fsm.CreateAPI{ID: "api_2", KeyspaceID: "ks_2"})
		apply(t, s, &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_2", Keys: []fsm.MigratedKey{{
			ID: "key_m", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey, Expires: fsm.Never, Enabled: true, ExternalID: "u", IdentityID: "id_u",
		}}})
		require.Equal(t, failed(fsm.HashInUse), migrate("key_a", fsm.Hash{'m'}))
		require.Zero(t, code(apply(t, s, end)))
		require.Equal(t, added("key_a"), migrate("key_a", fsm.Hash{'m'}), "%T", end)
		for _, s := range []*fsm.State{restored(t, s), s} {
			v := apply(t, s, present(fsm.Hash{'f'}, fsm.Hash{'m'}, 4)).(*fsm.Verdict)
			require.Equal(t, fsm.Valid, v.Code)
			require.Equal(t, "key_a", v.KeyID)
			require.EqualValues(t, 6, v.Credits)
		}
		require.Equal(t, failed(fsm.HashTakenOver), migrate("key_b", fsm.Hash{'m'}))
	}
	s, migrate := migrating(t, 1)
	migrate("key_m", fsm.Hash{'m'})
	apply(t, s, &fsm.DeleteKey{KeyID: "key_m"})
	require.Equal(t, added(""), migrate("key_a", fsm.Hash{'m'}))
}

// Only an outcome VALID binds a migrated key to the text that was presented [D-27]; below ledger version 2 every verdict does.
func TestVerifyMigrated_BindsOnlyWhatIsValid(t *testing.T) {
	for name, deny := range map[string]fsm.Command{
		"disabled": &fsm.UpdateKey{KeyID: "key_m", Enabled: fsm.Set(false)}, "expired": &fsm.UpdateKey{KeyID: "key_m", Expires: fsm.Set(int64(-1))},
		"empty": setCredits("key_m", fsm.BalanceChange{Op: fsm.SetBalance, Limited: true}),
	} {
		for _, version := range []uint64{1, fsmtest.SecondRules} {
			s, migrate := migrating(t, version)
			migrate("key_m", fsm.Hash{'m'})
			require.Zero(t, code(apply(t, s, deny)))
			require.NotEqual(t, fsm.Valid, apply(t, s, present(fsm.Hash{'x'}, fsm.Hash{'m'}, 1)).(*fsm.Verdict).Code, name)
			_, answered := s.Peek(&fsm.Call{Actor: root, Command: present(fsm.Hash{'y'}, fsm.Hash{'m'}, 1)})
			require.True(t, answered, "%s: a denial changes nothing", name)
			apply(t, s, &fsm.UpdateKey{
				KeyID: "key_m", Enabled: fsm.Set(true), Expires: fsm.Clear[int64](), Credits: fsm.CreditsChange{Remaining: fsm.Set(int64(5))},
			})
			want := fsm.Valid
			if version < fsmtest.SecondRules {
				want = fsm.NotFound
			}
			require.Equal(t, want, apply(t, s, present(fsm.Hash{'f'}, fsm.Hash{'m'}, 1)).(*fsm.Verdict).Code, "%s, version %d", name, version)
		}
	}
}
