package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// A rerolled key may do what the old one may, and has rate limits of its own: contract 2.3.
func TestRerollKey_CopiesAccessAndRateLimits(t *testing.T) {
	s := newOffice(t)
	limits := []fsm.Ratelimit{
		{ID: "rl_1", Name: "a", Limit: 1, Duration: 60_000, AutoApply: true}, {ID: "rl_2", Name: "b", Limit: 2, Duration: 60_000},
	}
	require.Zero(t, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Ratelimits: fsm.Set(limits)})))
	require.Equal(t, fsm.Valid, verify(t, s, 'a', 1).Code)
	require.Equal(t, fsm.RateLimited, verify(t, s, 'a', 1).Code)
	old := getKey(t, s, "key_a")

	c := &fsm.RerollKey{KeyID: "key_a", NewID: "key_z", Hash: fsm.Hash{'z'}, Start: "s_z", Expiration: 60_000, RatelimitIDs: []string{"rl_3"}}
	require.Equal(t, fsm.IDTaken, code(apply(t, s, c)), "too few ids")
	require.Equal(t, int64(2), s.Answer(root, &fsm.GetRerollStart{KeyID: "key_a"}).(*fsm.KeyStart).Ratelimits)
	c.RatelimitIDs = []string{"rl_3", "rl_4", "rl_5"}
	require.Equal(t, &fsm.Rerolled{ID: "key_z", Start: "s_z"}, apply(t, s, c))

	k := getKey(t, s, "key_z")
	require.Equal(t, old.Permissions, k.Permissions)
	require.Equal(t, old.Roles, k.Roles)
	fresh := []fsm.Ratelimit{limits[0], limits[1]}
	fresh[0].ID, fresh[1].ID = "rl_3", "rl_4"
	require.Equal(t, fresh, k.Ratelimits)
	require.Equal(t, limits, getKey(t, s, "key_a").Ratelimits, "the old key keeps its own")
	require.Equal(t, fsm.Valid, verify(t, s, 'z', 1).Code, "its windows are its own")

	apply(t, s, &fsm.LinkKeyPermissions{KeyID: "key_z", Op: fsm.SetLinks})
	require.Contains(t, getKey(t, s, "key_a").Permissions, "admin")
	require.NotContains(t, getKey(t, s, "key_z").Permissions, "admin")
}

// What is answered as ended is over for every later entry, also while log time stands still: contract D-26. Older ledgers keep their rule.
func TestEndsNow_IsOverWithTheAnswer(t *testing.T) {
	end := func(c fsm.Command) func(testing.TB, *fsm.State) {
		return func(t testing.TB, s *fsm.State) { require.Zero(t, code(apply(t, s, c))) }
	}
	for name, row := range map[string]struct {
		end   func(testing.TB, *fsm.State)
		after fsm.VerdictCode
		old   fsm.VerdictCode // below ledger version 2
	}{
		"a reroll at once": {
			end(&fsm.RerollKey{KeyID: "key_a", NewID: "key_z", Hash: fsm.Hash{'z'}, Expiration: 0}), fsm.Expired, fsm.Valid,
		},
		"an expiry in the past": {func(t testing.TB, s *fsm.State) {
			require.Zero(t, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Expires: fsm.Set(s.Clock() - 1)})))
		}, fsm.Expired, fsm.Expired},
		"an expiry of 0":           {end(&fsm.UpdateKey{KeyID: "key_a", Expires: fsm.Set(int64(0))}), fsm.Expired, fsm.Expired},
		"disabled":                 {end(&fsm.UpdateKey{KeyID: "key_a", Enabled: fsm.Set(false)}), fsm.Disabled, fsm.Disabled},
		"deleted":                  {end(&fsm.DeleteKey{KeyID: "key_a"}), fsm.NotFound, fsm.NotFound},
		"deleted permanently":      {end(&fsm.DeleteKey{KeyID: "key_a", Permanent: true}), fsm.NotFound, fsm.NotFound},
		"its API deleted":          {end(&fsm.DeleteAPI{APIID: "api_1"}), fsm.NotFound, fsm.NotFound},
		"its permission taken off": {end(&fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.SetLinks}), fsm.NotPermitted, fsm.NotPermitted},
		"the permission deleted":   {end(&fsm.DeletePermission{Permission: "p"}), fsm.NotPermitted, fsm.NotPermitted},
		"the credits withdrawn": {end(&fsm.UpdateKeyCredits{
			KeyID: "key_a", Change: fsm.BalanceChange{Op: fsm.SetBalance, Limited: true},
		}), fsm.UsageExceeded, fsm.UsageExceeded},
	} {
		for _, version := range []uint64{1, fsmtest.SecondRules} {
			s := newLedgerOf(t, version)
			advance(t, s, "2025-01-01 10:00:00.000")
			newKey(t, s, 'a', "", credits(5))
			apply(t, s, &fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.SetLinks, Permissions: []fsm.PermissionRef{{Slug: "p", ID: "perm_1"}}})
			use := func() *fsm.Verdict {
				v, ok := apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1, Query: "p"}).(*fsm.Verdict)
				require.True(t, ok)
				return v
			}
			require.Equal(t, fsm.Valid, use().Code)
			row.end(t, s)
			want := row.after
			if version < fsmtest.SecondRules {
				want = row.old
			}
			require.Equal(t, want, use().Code, "%s, ledger version %d", name, version)
		}
	}
}

// The same for who calls: a root key or a workspace that has ended is refused by the next entry, whatever the clock does.
func TestEndsNow_HoldsForCallers(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	apply(t, s, &fsm.CreateWorkspace{ID: "ws_2"})
	ask := &fsm.VerifyKey{Hash: fsm.Hash{'a'}}
	revoked, foreign := newRoot(t, s, 'a', "", "api.*.verify_key"), newRoot(t, s, 'b', "ws_2", "api.*.verify_key")
	require.Zero(t, code(as(t, s, revoked, ask)))
	require.Zero(t, code(as(t, s, foreign, ask)))
	apply(t, s, &fsm.RevokeRootKey{KeyID: "key_root_a"})
	require.Equal(t, fsm.RootKeyNotFound, code(as(t, s, revoked, ask)))
	apply(t, s, &fsm.UpdateWorkspace{WorkspaceID: "ws_2"})
	require.Equal(t, fsm.WorkspaceDisabled, code(as(t, s, foreign, ask)))
	over := fsm.Hash{'o'}
	apply(t, s, &fsm.CreateRootKey{ID: "key_over", Hash: over, Expires: s.Clock() - 1})
	require.Equal(t, fsm.RootKeyExpired, code(as(t, s, over, ask)))
}

// The verification of a migrated key asks what any other may ask: contract 3.3.
func TestVerifyMigrated_ChecksQueryAndRateLimits(t *testing.T) {
	s := newLedger(t)
	require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.PrefixedAPIKey})))
	require.Equal(t, &fsm.Migrated{IDs: []string{"key_m"}}, apply(t, s, &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1", Keys: []fsm.MigratedKey{
		{ID: "key_m", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey, Expires: fsm.Never, Enabled: true},
	}}))
	c := &fsm.VerifyMigrated{
		Verify: fsm.VerifyKey{Hash: fsm.Hash{'f'}, Query: "a AND"}, MigrationID: "mig", Hash: fsm.Hash{'m'}, Start: "a_b",
	}
	require.Equal(t, fsm.QuerySyntax, code(apply(t, s, c)))
	require.Empty(t, getKey(t, s, "key_m").Start, "refused")
	c.Verify.Query = "a"
	require.Equal(t, fsm.NotPermitted, apply(t, s, c).(*fsm.Verdict).Code)
	require.Empty(t, getKey(t, s, "key_m").Start, "denied")

	c.Verify.Query, c.Verify.Ratelimits = "", []fsm.RatelimitCheck{{Name: "n", Cost: 1, AdHoc: true, Limit: 1, Duration: 60_000}}
	_, ok := s.Peek(&fsm.Call{Actor: root, Command: c})
	require.False(t, ok, "it takes a token")
	require.Equal(t, fsm.Valid, apply(t, s, c).(*fsm.Verdict).Code)
	require.Equal(t, fsm.RateLimited, apply(t, s, c).(*fsm.Verdict).Code)
}
