package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

func newPermission(t testing.TB, s *fsm.State, id, slug string) {
	t.Helper()
	require.Equal(t, &fsm.Created{ID: id}, apply(t, s, &fsm.CreatePermission{ID: id, Name: slug, Slug: slug}))
}

func newRole(t testing.TB, s *fsm.State, id, name string, slugs ...string) {
	t.Helper()
	c := &fsm.CreateRole{ID: id, Name: name}
	for _, slug := range slugs {
		c.Permissions = append(c.Permissions, fsm.PermissionRef{Slug: slug, ID: "perm_of_" + id + "_" + slug})
	}
	require.Equal(t, &fsm.Created{ID: id}, apply(t, s, c))
}

// slugRefs makes references from ids and slugs in turn.
func slugRefs(idsAndSlugs ...string) []fsm.PermissionRef {
	var list []fsm.PermissionRef
	for i := 0; i < len(idsAndSlugs); i += 2 {
		list = append(list, fsm.PermissionRef{ID: idsAndSlugs[i], Slug: idsAndSlugs[i+1]})
	}
	return list
}

// newOffice has a key with the role editor (docs.read, docs.write) and the direct permission admin.
func newOffice(t testing.TB) *fsm.State {
	t.Helper()
	s := newLedger(t)
	newKey(t, s, 'a', "", credits(5))
	newRole(t, s, "role_1", "editor", "docs.read", "docs.write")
	apply(t, s, &fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.SetLinks, Permissions: slugRefs("perm_1", "admin", "perm_2", "docs.read")})
	apply(t, s, &fsm.LinkKeyRoles{KeyID: "key_a", Op: fsm.SetLinks, Roles: []string{"EDITOR"}})
	return s
}

func ask1(t testing.TB, s *fsm.State, query string) fsm.VerdictCode {
	t.Helper()
	return apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Query: query}).(*fsm.Verdict).Code
}

// A key has what it was given and what its roles have, each once: contract 2.0 and 3.7.
func TestKey_HasItsOwnPermissionsAndThoseOfItsRoles(t *testing.T) {
	s := newOffice(t)
	k := getKey(t, s, "key_a")
	require.Equal(t, []string{"admin", "docs.read", "docs.write"}, k.Permissions)
	require.Equal(t, []string{"editor"}, k.Roles)
	v := verify(t, s, 'a', 1)
	require.Equal(t, &fsm.VerdictAccess{Permissions: k.Permissions, Roles: k.Roles}, v.Access)
}

// Changes to roles and permissions affect the next verification: contract 2.5.
func TestAccess_ChangesAtOnce(t *testing.T) {
	s := newOffice(t)
	require.Equal(t, fsm.Valid, ask1(t, s, "docs.write AND docs.read AND admin"))
	require.Equal(t, fsm.NotPermitted, ask1(t, s, "Docs.write"), "letter for letter")
	apply(t, s, &fsm.SetRolePermissions{RoleID: "role_1", Permissions: slugRefs("perm_3", "docs.read", "perm_4", "docs.list")})
	require.Equal(t, fsm.NotPermitted, ask1(t, s, "docs.write"))
	require.Equal(t, fsm.Valid, ask1(t, s, "docs.list"))
	apply(t, s, &fsm.DeleteRole{Role: "Editor"})
	require.Equal(t, fsm.NotPermitted, ask1(t, s, "docs.list"))
	require.Equal(t, fsm.Valid, ask1(t, s, "docs.read"), "held directly as well")
	apply(t, s, &fsm.DeletePermission{Permission: "docs.read"})
	require.Equal(t, fsm.NotPermitted, ask1(t, s, "docs.read"))
	require.Equal(t, []string{"admin"}, getKey(t, s, "key_a").Permissions)
	require.Empty(t, getKey(t, s, "key_a").Roles)
}

// What is made again under an old name is something else: nobody has it.
func TestAccess_ANewOneIsNotTheOldOne(t *testing.T) {
	s := newOffice(t)
	apply(t, s, &fsm.DeletePermission{Permission: "admin"})
	apply(t, s, &fsm.DeleteRole{Role: "editor"})
	newPermission(t, s, "perm_8", "admin")
	newRole(t, s, "role_8", "editor", "docs.write")
	require.Equal(t, fsm.NotPermitted, ask1(t, s, "admin"))
	require.Equal(t, fsm.NotPermitted, ask1(t, s, "docs.write"))
	require.Equal(t, []string{"docs.read"}, getKey(t, s, "key_a").Permissions)
	require.Equal(t, fsm.IDTaken, code(apply(t, s, &fsm.CreatePermission{ID: "perm_1", Slug: "other"})), "the id of a deleted one")
}

// A deletion writes the deleted record only, however many keys had it; their lists forget it when they are next written.
func TestDeletePermission_WritesOneRecord(t *testing.T) {
	s := newOffice(t)
	release := func() map[fsm.RecordKey]fsm.Record {
		f := s.Freeze()
		defer f.Release(true)
		return take(f)
	}
	release()
	apply(t, s, &fsm.DeletePermission{Permission: "docs.read"})
	got := release()
	require.Len(t, got, 3) // meta, permission, audit entry
	gone := got[fsm.RecordKey{Kind: fsm.PermissionKind, ID: "perm_of_role_1_docs.read"}]
	require.Equal(t, &fsm.PermissionRecord{ID: "perm_of_role_1_docs.read", WorkspaceID: "ws_1", Deleted: true}, gone)

	apply(t, s, &fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.RemoveLinks})
	got = release()
	require.Equal(t, []string{"perm_1"}, got[fsm.RecordKey{Kind: fsm.KeyKind, ID: "key_a"}].(*fsm.KeyRecord).Permissions)
	apply(t, s, &fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.AddLinks, Permissions: slugRefs("perm_9", "ADMIN")})
	require.Len(t, release(), 1, "what it has already is no change")
}

// The order of checks: contract 3.3. A bad query is told before the state of the key, and after a key that is not there.
func TestVerify_OrderOfTheQuery(t *testing.T) {
	s := newOffice(t)
	ask := func(hash byte, query string, cost int64) fsm.Result {
		return apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{hash}, Query: query, Cost: cost})
	}
	require.Equal(t, &fsm.Verdict{Code: fsm.NotFound}, ask('x', "(", 1))
	require.Equal(t, fsm.QuerySyntax, code(ask('a', "(", 1)))
	require.Equal(t, fsm.NotPermitted, ask('a', "nobody", 100).(*fsm.Verdict).Code, "before credits")
	require.EqualValues(t, 5, ask('a', "nobody", 1).(*fsm.Verdict).Credits, "nothing is charged")
	require.Equal(t, fsm.UsageExceeded, ask('a', "admin", 6).(*fsm.Verdict).Code)
	require.EqualValues(t, 4, ask('a', "admin", 1).(*fsm.Verdict).Credits)
	apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Enabled: fsm.Set(false)})
	require.Equal(t, fsm.Disabled, ask('a', "nobody", 1).(*fsm.Verdict).Code)
	require.Equal(t, fsm.QuerySyntax, code(ask('a', "nobody AND", 1)))
}

// A denial and a bad query stay out of the log.
func TestPeek_AnswersQueries(t *testing.T) {
	s := newOffice(t)
	for query, answered := range map[string]bool{"nobody": true, "(": true, "admin": false, "": false} {
		_, ok := s.Peek(&fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Query: query, Cost: 1}})
		require.Equal(t, answered, ok, query)
	}
}

// Names are the same whatever their case, in alphabets that have one, and keep the first spelling: contract 6, D-11.
func TestNames_IgnoreCase(t *testing.T) {
	s := newLedger(t)
	for _, pair := range [][2]string{
		{"Docs.Read", "docs.rEAD"}, {"Größe", "GRÖße"}, {"Ωμέγα", "ωΜέγα"}, {"Редактор", "рЕДАКТОР"}, {"Ёлка", "ёлка"}, {"÷", "÷"}, {"日本", "日本"},
	} {
		newRole(t, s, "role_"+pair[0], pair[0])
		require.Equal(t, fsm.RoleExists, code(apply(t, s, &fsm.CreateRole{ID: "role_x", Name: pair[1]})), pair[1])
		require.Equal(t, &fsm.Role{ID: "role_" + pair[0], Name: pair[0]}, s.Answer(root, &fsm.GetRole{Role: pair[1]}))
	}
	newRole(t, s, "role_times", "×") // not the upper case of ÷
}

// Making a permission on the way needs the permission to make it, except where a key is created or updated: contract 2.3 and 2.5.
func TestAccess_CombinedRequirements(t *testing.T) {
	fresh := slugRefs("perm_new", "new")
	known := slugRefs("perm_new", "DOCS.read")
	for name, test := range map[string]struct {
		command fsm.Command
		needs   []string
	}{
		"createRole, known":   {&fsm.CreateRole{ID: "role_2", Name: "new", Permissions: known}, []string{"rbac.*.create_role", "rbac.*.add_permission_to_role"}},
		"createRole, unknown": {&fsm.CreateRole{ID: "role_2", Name: "new", Permissions: fresh}, []string{"rbac.*.create_role", "rbac.*.add_permission_to_role", "rbac.*.create_permission"}},
		"setRolePermissions":  {&fsm.SetRolePermissions{RoleID: "role_1", Permissions: fresh}, []string{"rbac.*.add_permission_to_role", "rbac.*.remove_permission_from_role", "rbac.*.create_permission"}},
		"addPermissions":      {&fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.AddLinks, Permissions: fresh}, []string{"api.api_1.update_key", "rbac.*.add_permission_to_key", "rbac.*.create_permission"}},
		"removePermissions":   {&fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.RemoveLinks, Permissions: known}, []string{"api.*.update_key", "rbac.*.remove_permission_from_key"}},
		"setPermissions":      {&fsm.LinkKeyPermissions{KeyID: "key_a", Op: fsm.SetLinks, Permissions: known}, []string{"api.*.update_key", "rbac.*.add_permission_to_key", "rbac.*.remove_permission_from_key"}},
		"addRoles":            {&fsm.LinkKeyRoles{KeyID: "key_a", Op: fsm.AddLinks, Roles: []string{"editor"}}, []string{"api.*.update_key", "rbac.*.add_role_to_key"}},
		"setRoles":            {&fsm.LinkKeyRoles{KeyID: "key_a", Op: fsm.SetLinks}, []string{"api.*.update_key"}},
		"createKey":           {&fsm.CreateKey{ID: "key_n", Hash: fsm.Hash{'n'}, APIID: "api_1", Permissions: fresh}, []string{"api.*.create_key"}},
		"updateKey":           {&fsm.UpdateKey{KeyID: "key_a", Permissions: fsm.Set(fresh)}, []string{"api.*.update_key"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTown(t)
			for i := range test.needs {
				holder := newRoot(t, s, byte('0'+i), "", test.needs[:i]...)
				r := ask(t, s, holder, test.command, nil)
				if name == "createKey" {
					require.Equal(t, fsm.APINotFound, code(r))
					continue
				}
				require.Contains(t, r.(*fsm.Refusal).Accepted, test.needs[i])
			}
			require.Zero(t, code(ask(t, s, newRoot(t, s, 'h', "", test.needs...), test.command, nil)))
		})
	}
}
