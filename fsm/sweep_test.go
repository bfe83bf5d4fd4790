package fsm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// linkedKeys adds keys to a new API, each with the permission and the role "gone".
func linkedKeys(t *testing.T, s *fsm.State, actor fsm.Hash, apiID string, n int) {
	t.Helper()
	require.Zero(t, code(as(t, s, actor, &fsm.CreateAPI{ID: apiID, KeyspaceID: "ks_" + apiID})))
	for i := range n {
		hash := fsm.Hash{'s', byte(i), byte(i >> 8)}
		copy(hash[3:], apiID)
		require.Zero(t, code(as(t, s, actor, &fsm.CreateKey{
			ID: fmt.Sprintf("key_%s%03d", apiID, i), Hash: hash, APIID: apiID, Enabled: true, Expires: fsm.Never,
			Permissions: []fsm.PermissionRef{{Slug: "gone", ID: "perm_" + apiID}}, Roles: []string{"gone"},
		})))
	}
}

// linkedRoles adds the role "gone", and ten others that have the permission "gone" as well as another one.
func linkedRoles(t *testing.T, s *fsm.State, actor fsm.Hash, prefix string) {
	t.Helper()
	refs := []fsm.PermissionRef{{Slug: "gone", ID: "perm_gone_" + prefix}, {Slug: "kept", ID: "perm_kept_" + prefix}}
	require.Zero(t, code(as(t, s, actor, &fsm.CreateRole{ID: "role_gone_" + prefix, Name: "gone", Permissions: refs})))
	for i := range 10 {
		require.Zero(t, code(as(t, s, actor, &fsm.CreateRole{ID: fmt.Sprint("role_", prefix, i), Name: fmt.Sprint("r", i), Permissions: refs})))
	}
}

func endLinks(t *testing.T, s *fsm.State, actor fsm.Hash) {
	t.Helper()
	require.Zero(t, code(as(t, s, actor, &fsm.DeletePermission{Permission: "gone"})))
	require.Zero(t, code(as(t, s, actor, &fsm.DeleteRole{Role: "gone"})))
}

// What is deleted leaves the lists of roles and keys, a bounded number with each entry, and then its record goes. Contract 7.2, D-104.
func TestSweep_FreesThePermissionAndTheRole(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FifthRules)
	linkedRoles(t, s, root, "a")
	linkedKeys(t, s, root, "api_b", 150)
	require.Zero(t, code(as(t, s, root, &fsm.CreateAPI{ID: "api_c", KeyspaceID: "ks_c"})))
	linkedKeys(t, s, root, "api_d", 150)
	s.Freeze().Release(true)
	endLinks(t, s, root)
	require.EqualValues(t, 2, usedBy(t, s)[fsm.PermissionsQuota], "they count until they are in no list")
	require.EqualValues(t, 11, usedBy(t, s)[fsm.RolesQuota])
	s.Freeze().Release(true)
	entries := 0
	for usedBy(t, s)[fsm.PermissionsQuota] > 1 || usedBy(t, s)[fsm.RolesQuota] > 10 {
		tick(t, s)
		require.Less(t, s.Stats().DirtyRecords, 70, "no entry does much")
		s.Freeze().Release(true)
		entries++
		require.Less(t, entries, 12)
	}
	require.Greater(t, entries, 4)
	tick(t, s)
	require.Zero(t, s.Stats().DirtyRecords, "the sweep has ended")
	require.Zero(t, code(as(t, s, root, &fsm.CreatePermission{ID: "perm_gone_a", Name: "n", Slug: "gone"})), "the id is free")
	require.Empty(t, getKey(t, s, "key_api_b000").Permissions, "and no key has what is made under it")
}

// A node that restarts in the middle changes the same records with the same entries. What is from before ledger version 5 waits for it.
func TestSweep_GoesOnAfterARestart(t *testing.T) {
	for _, version := range []uint64{fsmtest.FourthRules, fsmtest.FifthRules} {
		s := newLedgerOf(t, version)
		tick(t, s)
		linkedRoles(t, s, root, "a")
		linkedKeys(t, s, root, "api_b", 100)
		linkedKeys(t, s, root, "api_d", 100)
		require.Zero(t, code(apply(t, s, &fsm.CreatePermission{ID: "perm_alone", Slug: "alone"})))
		require.Zero(t, code(apply(t, s, &fsm.DeletePermission{Permission: "alone"})))
		endLinks(t, s, root)
		if version < fsmtest.FifthRules {
			full := usedBy(t, s)
			tick(t, s)
			require.Equal(t, full, usedBy(t, s), "nothing goes")
			require.EqualValues(t, 3, full[fsm.PermissionsQuota])
		}
		raiseBeside(t, s, fsmtest.FifthRules)
		require.EqualValues(t, 1, usedBy(t, s)[fsm.PermissionsQuota])
		require.EqualValues(t, 10, usedBy(t, s)[fsm.RolesQuota])
	}
}

// A workspace with much to sweep holds up no other one.
func TestSweep_TakesTurns(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FifthRules)
	other := tenants(t, s, 0, 1)[0]
	linkedRoles(t, s, root, "a")
	linkedRoles(t, s, other, "b")
	linkedKeys(t, s, root, "api_big", 1000)
	linkedKeys(t, s, other, "api_small", 10)
	endLinks(t, s, root)
	tick(t, s)
	endLinks(t, s, other)
	usedByOther := func() int64 {
		list := s.Answer(root, &fsm.ListWorkspaces{Page: fsm.Page{Limit: 10}}).(*fsm.Workspaces).List
		return list[1].Used[fsm.PermissionsQuota]
	}
	for range 4 {
		tick(t, s)
	}
	require.EqualValues(t, 1, usedByOther())
	require.EqualValues(t, 2, usedBy(t, s)[fsm.PermissionsQuota], "the other one has much left")
}

// The lists that are left at the end of a pass belong to keys that the graveyard removes.
func TestSweep_WaitsForTheGraveyard(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FifthRules)
	linkedRoles(t, s, root, "a")
	linkedKeys(t, s, root, "api_b", 200)
	require.Zero(t, code(apply(t, s, &fsm.DeleteAPI{APIID: "api_b"})))
	endLinks(t, s, root)
	for range 16 {
		tick(t, s)
	}
	require.EqualValues(t, 1, usedBy(t, s)[fsm.PermissionsQuota])
	require.EqualValues(t, 10, usedBy(t, s)[fsm.RolesQuota])
	require.Equal(t, s.Digest(), restored(t, s).Digest())
}

// A key that is rerolled meanwhile does not carry on what is deleted.
func TestSweep_NobodyInheritsWhatIsDeleted(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FifthRules)
	linkedRoles(t, s, root, "a")
	linkedKeys(t, s, root, "api_b", 1)
	endLinks(t, s, root)
	require.Zero(t, code(apply(t, s, &fsm.RerollKey{KeyID: "key_api_b000", NewID: "key_0", Hash: fsm.Hash{'z'}})))
	require.Zero(t, code(apply(t, s, &fsm.DeleteKey{KeyID: "key_api_b000"})))
	for i := range 10 {
		require.Zero(t, code(apply(t, s, &fsm.SetRolePermissions{RoleID: fmt.Sprint("role_a", i)})))
	}
	tick(t, s)
	require.EqualValues(t, 1, usedBy(t, s)[fsm.PermissionsQuota])
}

// APIs without keys, and sweeps that find nothing, are work as well: there may be any number of them.
func TestSweep_BoundsWhatItLooksAt(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FifthRules)
	linkedRoles(t, s, root, "a")
	for i := range 1100 {
		require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: fmt.Sprintf("api_a%04d", i), KeyspaceID: fmt.Sprint("ks_a", i)})))
	}
	linkedKeys(t, s, root, "api_z", 1)
	endLinks(t, s, root)
	freed := 0
	for usedBy(t, s)[fsm.PermissionsQuota] > 1 {
		tick(t, s)
		freed++
	}
	require.Equal(t, 3, freed, "two entries look at the APIs, and then the permission goes")

	s = newLedgerOf(t, fsmtest.FifthRules)
	for i, actor := range tenants(t, s, 0, 100) {
		api := fmt.Sprint("api_t", i)
		require.Zero(t, code(as(t, s, actor, &fsm.CreateRole{ID: fmt.Sprint("role_", i), Name: "gone"})))
		linkedKeys(t, s, actor, api, 17)
		require.Zero(t, code(as(t, s, actor, &fsm.DeleteAPI{APIID: api})))
		endLinks(t, s, actor)
	}
	s.Freeze().Release(true)
	tick(t, s)
	require.Less(t, s.Stats().DirtyRecords, 70+16)
}
