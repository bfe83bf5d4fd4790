package fsm_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Pages that are read while keys come and go hold every key that was there throughout, once, and in order: contract 1.14.
func TestListKeys_MissesAndRepeatsNothing(t *testing.T) {
	const keys, pageSize = 20_000, 100
	s := newLedger(t)
	rng := rand.New(rand.NewPCG(1, 2))
	hashes := 0
	create := func(id string, externalID string) fsm.Call {
		hashes++
		return fsm.Call{Actor: root, Command: &fsm.CreateKey{
			ID: id, Hash: benchHash(hashes), APIID: "api_1", Expires: fsm.Never, ExternalID: externalID, IdentityID: "id_many",
		}}
	}
	run := func(calls []fsm.Call) {
		for _, r := range s.Apply(fsm.Batch{Calls: calls}) {
			require.Zero(t, code(r))
		}
	}
	var calls []fsm.Call
	for n := range keys {
		externalID := ""
		if n%2 == 0 {
			externalID = "many"
		}
		calls = append(calls, create(fmt.Sprintf("key_%08x", n*40_503%(1<<24)), externalID))
	}
	run(calls)

	for _, externalID := range []string{"", "many"} {
		throughout := map[string]bool{} // alive when the listing began, and not deleted since
		all := allKeys(s, externalID)
		for _, k := range all {
			throughout[k.ID] = true
		}
		require.GreaterOrEqual(t, len(throughout), keys/2-keys/50)
		seen := map[string]bool{}
		last, cursor := "", ""
		for pages := 0; ; pages++ {
			p := s.Answer(root, &fsm.ListKeys{
				APIID: "api_1", ExternalID: externalID, Page: fsm.Page{Limit: pageSize, Cursor: cursor},
			}).(*fsm.Keys)
			for _, k := range p.List {
				require.Greater(t, k.ID, last, "in order, and none twice")
				last, seen[k.ID] = k.ID, true
			}
			if p.Next == "" {
				break
			}
			require.Len(t, p.List, pageSize)
			cursor = p.Next
			var calls []fsm.Call
			for n := range 6 {
				calls = append(calls, create(fmt.Sprintf("key_%08xn%d_%d", rng.IntN(1<<24), pages, n), externalID))
			}
			victim := all[rng.IntN(len(all))].ID
			if throughout[victim] {
				calls = append(calls, fsm.Call{Actor: root, Command: &fsm.DeleteKey{KeyID: victim, Permanent: pages%2 == 0}})
				delete(throughout, victim)
			}
			if throughout[cursor] && pages%5 == 0 { // the very key that the next page was to begin with
				calls = append(calls, fsm.Call{Actor: root, Command: &fsm.DeleteKey{KeyID: cursor}})
				delete(throughout, cursor)
			}
			run(calls)
		}
		for id := range throughout {
			require.True(t, seen[id], id)
		}
	}
}

// allKeys are the keys of an API, or those of an identity, page by page.
func allKeys(s *fsm.State, externalID string) (all []fsm.Key) {
	for cursor := ""; ; {
		p := s.Answer(root, &fsm.ListKeys{APIID: "api_1", ExternalID: externalID, Page: fsm.Page{Limit: 1 << 30, Cursor: cursor}}).(*fsm.Keys)
		all = append(all, p.List...)
		if cursor = p.Next; cursor == "" {
			return all
		}
	}
}

// A search looks at a bounded number of identities at a time and says where to go on: contract 1.14.
func TestListIdentities_SearchIsBounded(t *testing.T) {
	const identities = 25_000
	s := newLedger(t)
	var calls []fsm.Call
	for n := range identities {
		calls = append(calls, fsm.Call{Actor: root, Command: &fsm.CreateIdentity{
			ID: fmt.Sprintf("id_%08d", n), ExternalID: fmt.Sprintf("User.%d", n),
		}})
	}
	s.Apply(fsm.Batch{Calls: calls})
	var found []string
	cursor, pages := "", 0
	for {
		p := s.Answer(root, &fsm.ListIdentities{Search: " uSER.24999 ", Page: fsm.Page{Limit: 10, Cursor: cursor}}).(*fsm.Identities)
		pages++
		for _, i := range p.List {
			found = append(found, i.ExternalID)
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, []string{"User.24999"}, found)
	require.Equal(t, 3, pages)
}

// So does a search of permissions or roles, which ends before a page is full even if nothing is found.
func TestListPermissions_SearchIsBounded(t *testing.T) {
	const each = 12_000
	s := newLedger(t)
	var calls []fsm.Call
	for n := range each {
		calls = append(calls,
			fsm.Call{Actor: root, Command: &fsm.CreatePermission{ID: fmt.Sprintf("perm_%08d", n), Name: "p", Slug: fmt.Sprintf("Slug.%d", n)}},
			fsm.Call{Actor: root, Command: &fsm.CreateRole{ID: fmt.Sprintf("role_%08d", n), Name: fmt.Sprintf("Rôle.%d", n)}})
	}
	s.Apply(fsm.Batch{Calls: calls})

	first := s.Answer(root, &fsm.ListPermissions{Search: "sLUG.11999", Limit: 10}).(*fsm.PermissionList)
	require.Equal(t, &fsm.PermissionList{Next: "perm_00010000"}, first)
	rest := s.Answer(root, &fsm.ListPermissions{Search: "sLUG.11999", Limit: 10, Cursor: first.Next}).(*fsm.PermissionList)
	require.Equal(t, []fsm.Permission{{ID: "perm_00011999", Name: "p", Slug: "Slug.11999"}}, rest.Permissions)
	require.Empty(t, rest.Next)

	none := s.Answer(root, &fsm.ListRoles{Search: "RÔLE.11999", Limit: 10}).(*fsm.RoleList)
	require.Equal(t, &fsm.RoleList{Next: "role_00010000"}, none)
	last := s.Answer(root, &fsm.ListRoles{Search: "RÔLE.11999", Limit: 10, Cursor: none.Next}).(*fsm.RoleList)
	require.Equal(t, []fsm.Role{{ID: "role_00011999", Name: "Rôle.11999"}}, last.Roles)
	require.Empty(t, last.Next)
}

// What is deleted leaves the lists, also while a page that begins with it is asked for, and stays out of those of a restored ledger.
func TestListPermissions_WithoutTheDeleted(t *testing.T) {
	s := newLedger(t)
	for _, n := range []string{"1", "3", "2"} {
		s.Apply(fsm.Batch{Calls: []fsm.Call{
			{Actor: root, Command: &fsm.CreatePermission{ID: "perm_" + n, Name: "p", Slug: n}},
			{Actor: root, Command: &fsm.CreateRole{ID: "role_" + n, Name: n}},
		}})
	}
	s.Apply(fsm.Batch{Calls: []fsm.Call{
		{Actor: root, Command: &fsm.DeletePermission{Permission: "perm_2"}},
		{Actor: root, Command: &fsm.DeleteRole{Role: "role_2"}},
	}})
	for _, s := range []*fsm.State{s, restored(t, s)} {
		for _, test := range []struct {
			permission, role string // cursors
			want             []string
		}{{"", "", []string{"1", "3"}}, {"perm_2", "role_2", []string{"3"}}} {
			var slugs, roles []string
			for _, p := range s.Answer(root, &fsm.ListPermissions{Limit: 10, Cursor: test.permission}).(*fsm.PermissionList).Permissions {
				slugs = append(slugs, p.Slug)
			}
			for _, r := range s.Answer(root, &fsm.ListRoles{Limit: 10, Cursor: test.role}).(*fsm.RoleList).Roles {
				roles = append(roles, r.Name)
			}
			require.Equal(t, test.want, slugs)
			require.Equal(t, test.want, roles)
		}
	}
}

// Who reads a page must be allowed to read everything on it: contract 2.4.
func TestListIdentities_NeedsPermissionForEachItem(t *testing.T) {
	s := newLedger(t)
	newIdentity(t, s, "a", unlimitedCredits, fsm.IdentityPays)
	newIdentity(t, s, "b", unlimitedCredits, fsm.IdentityPays)
	some := newRoot(t, s, '1', "", "identity.id_a.read_identity")
	q := func(limit int, cursor, search string) fsm.Result {
		return s.Answer(some, &fsm.ListIdentities{Search: search, Page: fsm.Page{Limit: limit, Cursor: cursor}})
	}
	require.Equal(t, "id_b", q(1, "", "").(*fsm.Identities).Next, "the next page's first item needs none yet")
	require.Equal(t, fsm.InsufficientPermissions, code(q(2, "", "")))
	require.Equal(t, fsm.InsufficientPermissions, code(q(1, "id_b", "")))
	require.Len(t, q(2, "", "id_A").(*fsm.Identities).List, 1)
	require.Equal(t, &fsm.Identities{}, q(2, "", "c"))
}

var unlimitedCredits fsm.NewCredits

// A deleted API and its keys are gone for every endpoint: contract 2.2.
func TestDeleteAPI_EndsItsKeys(t *testing.T) {
	s := newTown(t)
	outstanding := s.Stats().Totals.Outstanding()
	require.Equal(t, &fsm.Done{}, apply(t, s, &fsm.DeleteAPI{APIID: "api_1"}))
	require.Equal(t, fsm.APINotFound, code(apply(t, s, &fsm.DeleteAPI{APIID: "api_1"})))
	require.Equal(t, fsm.NotFound, verify(t, s, 'a', 1).Code)
	for _, c := range []fsm.Command{
		&fsm.UpdateKey{KeyID: "key_a"}, &fsm.DeleteKey{KeyID: "key_a"},
		&fsm.UpdateKeyCredits{KeyID: "key_a", Change: fsm.BalanceChange{Op: fsm.SetBalance}},
	} {
		require.Equal(t, fsm.KeyNotFound, code(apply(t, s, c)))
	}
	require.Equal(t, fsm.APINotFound, code(s.Answer(root, &fsm.ListKeys{APIID: "api_1", Page: fsm.Page{Limit: 1}})))
	require.Equal(t, outstanding, s.Stats().Totals.Outstanding(), "balances stay in the totals")
	require.Equal(t, fsm.IDTaken, code(apply(t, s, &fsm.CreateAPI{ID: "api_1"})))
}

// Whoever operates the cluster cannot lock everybody out: contract 7.2.
func TestOperate_CannotLockEverybodyOut(t *testing.T) {
	s := newTown(t)
	other := newRoot(t, s, 'o', "ws_2", "cluster.*.operate")
	require.Equal(t, fsm.PreconditionFailed, code(ask(t, s, root, &fsm.RevokeRootKey{KeyID: "key_root"}, nil)))
	require.Equal(t, fsm.PreconditionFailed, code(ask(t, s, root, &fsm.UpdateWorkspace{WorkspaceID: "ws_1"}, nil)))

	require.Zero(t, code(apply(t, s, &fsm.UpdateWorkspace{WorkspaceID: "ws_2"})))
	require.Equal(t, fsm.WorkspaceDisabled, code(s.Answer(other, &fsm.Authorize{})))
	require.Zero(t, code(apply(t, s, &fsm.UpdateWorkspace{WorkspaceID: "ws_2", Enabled: true})))
	require.Zero(t, code(as(t, s, other, &fsm.RevokeRootKey{KeyID: "key_root"})))
	require.Equal(t, fsm.RootKeyNotFound, code(apply(t, s, &fsm.DeleteKey{KeyID: "key_a"})))
}

// A verification that is refused does not take a migrated key over, and one that would is no read: contract 3.3.
func TestVerifyMigrated_ChangesNothingWhenRefused(t *testing.T) {
	s := newTown(t)
	require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.PrefixedAPIKey})))
	require.Equal(t, &fsm.Migrated{IDs: []string{"key_m"}}, apply(t, s, &fsm.MigrateKeys{
		MigrationID: "mig", APIID: "api_1", Keys: []fsm.MigratedKey{{ID: "key_m", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey, Expires: fsm.Never, Enabled: true}},
	}))
	c := &fsm.VerifyMigrated{Verify: fsm.VerifyKey{Hash: fsm.Hash{'f'}, Cost: -1}, MigrationID: "mig", Hash: fsm.Hash{'m'}, Start: "a_b"}
	require.Equal(t, fsm.InvalidInput, code(ask(t, s, root, c, nil)))
	c.Verify.Cost = 1
	_, ok := s.Peek(&fsm.Call{Actor: root, Command: c})
	require.False(t, ok)
	require.Equal(t, fsm.Valid, apply(t, s, c).(*fsm.Verdict).Code)
	require.Equal(t, "a_b", getKey(t, s, "key_m").Start)
	v, ok := s.Peek(&fsm.Call{Actor: root, Command: c})
	require.True(t, ok)
	require.Equal(t, "key_m", v.(*fsm.Verdict).KeyID)
}

// A key without the form of its migration is refused without an entry, and nothing changes: contract 3.3.
func TestVerifyMigrated_Malformed(t *testing.T) {
	s := newTown(t)
	require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: "pre", Algorithm: fsm.PrefixedAPIKey})))
	require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: "sha", Algorithm: fsm.SHA256})))
	digest := s.Digest()
	for migration, want := range map[string]fsm.RefusalCode{"pre": fsm.KeyMalformed, "sha": 0, "none": 0} {
		c := &fsm.VerifyMigrated{Verify: fsm.VerifyKey{Hash: fsm.Hash{'?'}, Cost: 1}, MigrationID: migration}
		peeked, ok := s.Peek(&fsm.Call{Actor: root, Command: c})
		require.True(t, ok, migration)
		require.Equal(t, want, code(peeked), migration)
		require.Equal(t, peeked, apply(t, s, c), migration)
	}
	require.Equal(t, digest, s.Digest())
}
