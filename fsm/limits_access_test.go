package fsm_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// refs are n permissions, which count from first.
func refs(first, n int) (list []fsm.PermissionRef) {
	for i := first; i < first+n; i++ {
		list = append(list, fsm.PermissionRef{Slug: fmt.Sprintf("p.%06d", i), ID: fmt.Sprintf("perm_%06d", i)})
	}
	return list
}

// makeRoles makes n roles with so many permissions each, all different, and returns their names.
func makeRoles(t testing.TB, s *fsm.State, n, permissions int) (names []string) {
	t.Helper()
	for i := range n {
		name := fmt.Sprintf("role %03d", i)
		require.Zero(t, code(apply(t, s, &fsm.CreateRole{
			ID: fmt.Sprintf("role_%03d", i), Name: name, Permissions: refs(10_000+i*permissions, permissions),
		})))
		names = append(names, name)
	}
	return names
}

func link(key string, op fsm.LinkOp, list []fsm.PermissionRef) *fsm.LinkKeyPermissions {
	return &fsm.LinkKeyPermissions{KeyID: key, Op: op, Permissions: list}
}

func linkRoles(key string, op fsm.LinkOp, names []string) *fsm.LinkKeyRoles {
	return &fsm.LinkKeyRoles{KeyID: key, Op: op, Roles: names}
}

// refusedAsTooMany requires a refusal that names the number, before the log and in it, and changes nothing.
func refusedAsTooMany(t testing.TB, s *fsm.State, says string, c fsm.Command) {
	t.Helper()
	before := s.Digest()
	peeked, ok := s.Peek(&fsm.Call{Actor: root, Command: c})
	require.True(t, ok, "%T", c)
	r := apply(t, s, c)
	require.Equal(t, peeked, r)
	require.Equal(t, fsm.InvalidInput, code(r), "%T", c)
	require.Contains(t, r.(*fsm.Refusal).Detail, says)
	require.Equal(t, before, s.Digest())
}

// A key has at most 1,000 permissions of its own and 100 roles, and a role has at most 1,000 permissions, whatever way they come [D-33].
func TestAccess_OfAKeyIsBounded(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'k', "", fsm.NewCredits{})
	for _, c := range []fsm.Command{link("key_k", fsm.AddLinks, refs(0, 999)), link("key_k", fsm.AddLinks, refs(500, 500))} {
		require.Zero(t, code(apply(t, s, c)))
	}
	more := "permissions: the key would have 1001, at most 1000 are allowed"
	refusedAsTooMany(t, s, more, link("key_k", fsm.AddLinks, refs(999, 2)))
	refusedAsTooMany(t, s, more, link("key_k", fsm.SetLinks, refs(0, 1001)))
	refusedAsTooMany(t, s, more, &fsm.UpdateKey{KeyID: "key_k", Permissions: fsm.Set(refs(0, 1001))})
	refusedAsTooMany(t, s, more, &fsm.CreateKey{ID: "key_n", Hash: fsm.Hash{'n'}, APIID: "api_1", Permissions: refs(0, 1001)})
	refusedAsTooMany(t, s, "permissions: the role would have 1001, at most 1000 are allowed",
		&fsm.CreateRole{ID: "role_n", Name: "n", Permissions: refs(0, 1001)})
	require.Zero(t, code(apply(t, s, link("key_k", fsm.AddLinks, refs(999, 1)))), "1000")
	require.Zero(t, code(apply(t, s, link("key_k", fsm.AddLinks, refs(0, 1000)))), "it has them")
	require.Zero(t, code(apply(t, s, link("key_k", fsm.RemoveLinks, refs(7, 1)))))
	require.Zero(t, code(apply(t, s, link("key_k", fsm.AddLinks, refs(1000, 1)))), "a place is free again")

	names := makeRoles(t, s, 101, 1)
	require.Zero(t, code(apply(t, s, linkRoles("key_k", fsm.AddLinks, names[:60]))))
	require.Zero(t, code(apply(t, s, linkRoles("key_k", fsm.AddLinks, names[30:100]))))
	more = "roles: the key would have 101, at most 100 are allowed"
	refusedAsTooMany(t, s, more, linkRoles("key_k", fsm.AddLinks, names[100:]))
	refusedAsTooMany(t, s, more, &fsm.UpdateKey{KeyID: "key_k", Roles: fsm.Set(names)})
	refusedAsTooMany(t, s, "permissions: the role would have 1001",
		&fsm.SetRolePermissions{RoleID: "role_000", Permissions: refs(0, 1001)})
	require.Zero(t, code(apply(t, s, &fsm.SetRolePermissions{RoleID: "role_000", Permissions: refs(0, 1000)})))
}

// The permissions of a key and of its roles are at most 5,000 together. A role may grow after it was given: then answers show the first
// 5,000, and a permission query still sees all.
func TestAccess_BehindRolesIsBounded(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'k', "", fsm.NewCredits{})
	names := makeRoles(t, s, 6, 1000)
	require.Zero(t, code(apply(t, s, linkRoles("key_k", fsm.AddLinks, names[:5]))))
	more := "the permissions of the key and of its roles would be 500"
	refusedAsTooMany(t, s, more, link("key_k", fsm.AddLinks, refs(0, 1)))
	refusedAsTooMany(t, s, "would be 6000 together", linkRoles("key_k", fsm.AddLinks, names[5:]))
	require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256})))
	refusedAsTooMany(t, s, "keys[0]: the permissions", &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1", Keys: []fsm.MigratedKey{{
		ID: "key_m", Hash: fsm.Hash{'m'}, Form: fsm.SHA256, MigratedAccess: fsm.MigratedAccess{Roles: roleRefs(names)},
	}}})
	require.Zero(t, code(apply(t, s, &fsm.SetRolePermissions{RoleID: "role_000", Permissions: refs(10_000, 500)})))
	require.Zero(t, code(apply(t, s, link("key_k", fsm.AddLinks, refs(0, 500)))))
	require.Zero(t, code(apply(t, s, &fsm.SetRolePermissions{RoleID: "role_000", Permissions: refs(10_000, 1000)})), "roles may grow")

	v := verify(t, s, 'k', 0)
	require.Len(t, v.Access.Permissions, 5000)
	require.Equal(t, []string{"p.000000", "p.014499"}, []string{v.Access.Permissions[0], v.Access.Permissions[4999]})
	require.Equal(t, v.Access.Permissions, getKey(t, s, "key_k").Permissions)
	for query, want := range map[string]fsm.VerdictCode{
		"p.014999": fsm.Valid, "p.000499 AND p.010000": fsm.Valid, "p.015000": fsm.NotPermitted, "P.014999": fsm.NotPermitted, "none": fsm.NotPermitted,
	} {
		require.Equal(t, want, apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Query: query}).(*fsm.Verdict).Code, query)
	}
	shown := apply(t, s, linkRoles("key_k", fsm.AddLinks, names[:1])).(*fsm.RoleList)
	require.Len(t, shown.Roles[0].Permissions, 1000)
	require.Len(t, shown.Roles, 5)
}

func roleRefs(names []string) (list []fsm.RoleRef) {
	for _, name := range names {
		list = append(list, fsm.RoleRef{Name: name, ID: "role_of_" + name})
	}
	return list
}

// A key that has more from before keeps it, and works. It can lose permissions, and keep them, and get no new ones.
func TestAccess_FromBeforeStays(t *testing.T) {
	s := newLedgerOf(t, fsmtest.SecondRules)
	newKey(t, s, 'k', "", fsm.NewCredits{})
	for i := range 6 {
		require.Zero(t, code(apply(t, s, link("key_k", fsm.AddLinks, refs(i*1000, 1000)))))
	}
	require.Len(t, verify(t, s, 'k', 0).Access.Permissions, 6000)
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.ThirdRules, Build: "v1.3.0"})
	require.Len(t, verify(t, s, 'k', 0).Access.Permissions, 5000)
	require.Equal(t, fsm.Valid, apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Query: "p.005999"}).(*fsm.Verdict).Code)
	refusedAsTooMany(t, s, "would have 6001", link("key_k", fsm.AddLinks, refs(6000, 1)))
	for _, c := range []fsm.Command{
		link("key_k", fsm.AddLinks, refs(10, 20)), link("key_k", fsm.RemoveLinks, refs(0, 1000)), &fsm.UpdateKey{KeyID: "key_k", Enabled: fsm.Set(true)},
		&fsm.DeletePermission{Permission: "p.003000"},
	} {
		require.Zero(t, code(apply(t, s, c)), "%T", c)
	}
	refusedAsTooMany(t, s, "would have 5000", link("key_k", fsm.AddLinks, refs(6000, 1)))
}

// The reference model has the same limits.
func TestAccess_IsBoundedInTheModel(t *testing.T) {
	s, m := fsm.New(), fsmtest.NewModel()
	both := func(c fsm.Command) fsm.RefusalCode {
		t.Helper()
		b := fsm.Batch{Calls: []fsm.Call{{Actor: root, Command: c}}}
		want, got := m.Apply(b)[0], s.Apply(b)[0]
		require.Equal(t, want, undetailed(got), "%T", c)
		return code(got)
	}
	both(&fsm.RaiseLedgerVersion{Version: fsmtest.ThirdRules, Build: "v1.3.0"})
	both(&fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_root", RootKeyHash: root})
	both(&fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1"})
	both(&fsm.CreateKey{ID: "key_k", Hash: fsm.Hash{'k'}, APIID: "api_1", Enabled: true, Expires: fsm.Never, Permissions: refs(0, 1000)})
	refused := 0
	for _, c := range []fsm.Command{
		link("key_k", fsm.AddLinks, refs(1000, 1)), link("key_k", fsm.SetLinks, refs(1, 1001)), link("key_k", fsm.AddLinks, refs(5, 9)),
		&fsm.UpdateKey{KeyID: "key_k", Permissions: fsm.Set(refs(0, 1001))},
		&fsm.CreateKey{ID: "key_n", Hash: fsm.Hash{'n'}, APIID: "api_1", Permissions: refs(0, 1001)},
		&fsm.CreateRole{ID: "role_n", Name: "n", Permissions: refs(0, 1001)},
		&fsm.CreateRole{ID: "role_a", Name: "a", Permissions: refs(1000, 1000)},
		&fsm.SetRolePermissions{RoleID: "role_a", Permissions: refs(1, 1001)},
		linkRoles("key_k", fsm.AddLinks, []string{"a"}),
	} {
		if both(c) != 0 {
			refused++
		}
	}
	require.Equal(t, 6, refused)
	query := fsm.VerifyKey{Hash: fsm.Hash{'k'}, Query: "p.001999"}
	both(&query)
}

// One verification is little work, whatever the roles hold, and a request of many is as little: the items beyond it are refused.
func TestVerifyKeys_BoundsTheWorkOfQueries(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'k', "", fsm.NewCredits{})
	names := makeRoles(t, s, 100, 50)
	require.Zero(t, code(apply(t, s, linkRoles("key_k", fsm.AddLinks, names))))
	none := strings.Repeat("p.010000 AND ", 75) + "none"
	items := slices.Repeat([]fsm.Verification{{Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Query: none}}}, 100)
	results := apply(t, s, &fsm.VerifyKeys{Items: items}).(*fsm.Verdicts).Results
	served := slices.IndexFunc(results, func(r fsm.Result) bool { return code(r) == fsm.AnswerTooLarge })
	require.Greater(t, served, 1)
	require.Less(t, served, 8)

	checks := make([]fsm.RatelimitCheck, 50)
	for i := range checks {
		checks[i] = fsm.RatelimitCheck{Name: fmt.Sprint("limit ", i), Cost: 1, AdHoc: true, Limit: 1 << 40, Duration: 60_000}
	}
	newKey(t, s, 'l', "", fsm.NewCredits{})
	for n, want := range map[int]int{11: -1, 50: 259} {
		items = slices.Repeat([]fsm.Verification{{Command: &fsm.VerifyKey{Hash: fsm.Hash{'l'}, Ratelimits: checks[:n]}}}, 1000)
		results = apply(t, s, &fsm.VerifyKeys{Items: items}).(*fsm.Verdicts).Results
		require.Equal(t, want, slices.IndexFunc(results, func(r fsm.Result) bool { return code(r) == fsm.AnswerTooLarge }), "%d limits", n)
	}
}

// The most that one verification costs: 5,000 permissions behind 100 roles that differ in their last bytes, and a query of 75 operands.
func BenchmarkVerifyLargestKey(b *testing.B) {
	s := newLedger(b)
	newKey(b, s, 'k', "", fsm.NewCredits{})
	require.Zero(b, code(apply(b, s, linkRoles("key_k", fsm.AddLinks, makeRoles(b, s, 100, 50)))))
	for i := range 100 {
		apply(b, s, &fsm.SetRolePermissions{RoleID: fmt.Sprintf("role_%03d", i), Permissions: refs(10_000+i*1000, 1000)})
	}
	query := &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Query: strings.Repeat("p.109999 AND ", 75) + "none"}
	for name, c := range map[string]*fsm.VerifyKey{"plain": {Hash: fsm.Hash{'k'}}, "query": query} {
		b.Run(name, func(b *testing.B) {
			batch := fsm.Batch{Calls: []fsm.Call{{Actor: root, Command: c}}}
			for b.Loop() {
				s.Apply(batch)
			}
		})
	}
}
