package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
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
	require.Equal(t, "a_b", getKey(t, s, "key_m").Start)

	c.Verify.Query, c.Verify.Ratelimits = "", []fsm.RatelimitCheck{{Name: "n", Cost: 1, AdHoc: true, Limit: 1, Duration: 60_000}}
	_, ok := s.Peek(&fsm.Call{Actor: root, Command: c})
	require.False(t, ok, "it takes a token")
	require.Equal(t, fsm.Valid, apply(t, s, c).(*fsm.Verdict).Code)
	require.Equal(t, fsm.RateLimited, apply(t, s, c).(*fsm.Verdict).Code)
}
