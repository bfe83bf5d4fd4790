package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// names returns one string of each item of an array.
func names(t testing.TB, data, field string) []string {
	t.Helper()
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(data), &list), data)
	require.NotNil(t, list, "null is no list")
	all := []string{}
	for _, item := range list {
		all = append(all, item[field].(string))
	}
	return all
}

// permissions.createPermission: docs/contract.md 2.5.
func TestCreatePermission(t *testing.T) {
	s := newServer(t)
	id := s.get("permissionId", "permissions.createPermission", `{"name":"Read docs","slug":"Docs.read_1:*-x","description":"d"}`)
	require.Regexp(t, `^perm_[a-zA-Z0-9]{16}$`, id)
	want := fmt.Sprintf(`{"id":%q,"name":"Read docs","slug":"Docs.read_1:*-x","description":"d"}`, id)
	for _, ref := range []string{id, "Docs.read_1:*-x", "docs.READ_1:*-x"} {
		require.JSONEq(t, want, s.must("permissions.getPermission", fmt.Sprintf(`{"permission":%q}`, ref)))
	}
	for _, slug := range []string{"Docs.read_1:*-x", "docs.read_1:*-X"} {
		s.post("permissions.createPermission", fmt.Sprintf(`{"name":"x","slug":%q}`, slug)).fails(409, "unkey/data/permission_already_exists")
	}
	s.foreign().must("permissions.createPermission", `{"name":"x","slug":"docs.read_1:*-x"}`)
	require.NotContains(t, s.must("permissions.getPermission", fmt.Sprintf(`{"permission":%q}`,
		s.get("permissionId", "permissions.createPermission", `{"name":"x","slug":"y","description":""}`))), "description")
	long := strings.Repeat("x", 513)
	for _, body := range []string{
		`{}`, `{"name":"x"}`, `{"slug":"x"}`, `{"name":"","slug":"x"}`, `{"name":"x","slug":""}`, `{"name":"x","slug":"a b"}`,
		`{"name":"x","slug":"a@b"}`, `{"name":"x","slug":"a#b"}`, `{"name":"x","slug":"a$b"}`, `{"name":"x","slug":"a%b"}`,
		`{"name":"x","slug":"` + long[:129] + `"}`, `{"name":"` + long + `","slug":"x"}`, `{"name":"x","slug":"x","description":"` + long + `"}`,
		`{"name":"x","slug":"x","description":null}`, `{"name":"x","slug":"x","more":1}`,
	} {
		s.post("permissions.createPermission", body).fails(400, invalidInput)
	}
	s.must("permissions.createPermission", `{"name":"`+long[:512]+`","slug":"`+long[:128]+`","description":"`+long[:512]+`"}`)
}

// permissions.createRole: docs/contract.md 2.5.
func TestCreateRole(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	plain := s.must("permissions.getRole", `{"role":"EDITOR"}`)
	require.JSONEq(t, f.in(`{"id":"ROLEID","name":"editor"}`), plain, "no permissions: the field is left out")
	id := s.get("roleId", "permissions.createRole", `{"name":"Größe, 世界","description":"d","permissions":["DOCS.Read","new","NEW","new"]}`)
	require.Regexp(t, `^role_[a-zA-Z0-9]{16}$`, id)
	shown := s.must("permissions.getRole", `{"role":"größe, 世界"}`)
	require.Equal(t, shown, s.must("permissions.getRole", fmt.Sprintf(`{"role":%q}`, id)))
	var role struct {
		Description string
		Permissions json.RawMessage
	}
	require.NoError(t, json.Unmarshal([]byte(shown), &role))
	require.Equal(t, "d", role.Description)
	require.Equal(t, []string{"docs.read", "new"}, names(t, string(role.Permissions), "slug"), "the first spelling is kept, D-11")
	require.Equal(t, "new", s.get("name", "permissions.getPermission", `{"permission":"new"}`), "a made permission is named after its slug")

	s.post("permissions.createRole", `{"name":"Editor"}`).fails(409, "unkey/data/role_already_exists")
	weak := s.grant("rbac.*.create_role", "rbac.*.add_permission_to_role")
	weak.must("permissions.createRole", `{"name":"r2","permissions":["new"]}`)
	weak.post("permissions.createRole", `{"name":"r3","permissions":["new","newer"]}`).fails(403, forbidden)
	s.post("permissions.getRole", `{"role":"r3"}`).fails(404, roleMissing)
	s.post("permissions.getPermission", `{"permission":"newer"}`).fails(404, permissionMissing)
	for _, body := range []string{
		`{}`, `{"name":""}`, `{"name":"` + strings.Repeat("x", 129) + `"}`, `{"name":"x","permissions":["a b"]}`, `{"name":"x","permissions":null}`,
		`{"name":"x","description":"` + strings.Repeat("x", 513) + `"}`, `{"name":"x","more":1}`,
		`{"name":"x","permissions":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`,
	} {
		s.post("permissions.createRole", body).fails(400, invalidInput)
	}
}

// Roles that name one new slug at once: all are made, with one permission. docs/contract.md 2.5, and row 204 of section 5.
func TestCreateRole_Concurrently(t *testing.T) {
	s := newServer(t)
	var group sync.WaitGroup
	codes := make([]int, 10)
	for i := range codes {
		group.Go(func() {
			codes[i] = s.post("permissions.createRole", fmt.Sprintf(`{"name":"r%d","permissions":["shared"]}`, i)).Code
		})
	}
	group.Wait()
	for _, code := range codes {
		require.Equal(t, 200, code)
	}
	require.Len(t, names(t, s.must("permissions.listPermissions", `{}`), "slug"), 1)
}

// Deleting takes a permission or role from everything that has it: docs/contract.md 2.5.
func TestDeletePermissionAndRole(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	f = s.newKey(f, `,"permissions":["docs.read","docs.write"],"roles":["editor"]`)
	s.must("permissions.setRolePermissions", f.in(`{"roleId":"ROLEID","permissions":["docs.read","admin"]}`))
	require.Contains(t, s.showKey(f), `"permissions":["admin","docs.read","docs.write"],"roles":["editor"]`)
	require.Equal(t, "{}", s.must("permissions.deletePermission", `{"permission":"Docs.Read"}`))
	s.post("permissions.deletePermission", `{"permission":"docs.read"}`).fails(404, permissionMissing)
	require.Contains(t, s.showKey(f), `"permissions":["admin","docs.write"],"roles":["editor"]`)
	require.NotContains(t, s.must("permissions.getRole", `{"role":"editor"}`), "docs.read")
	require.Equal(t, "{}", s.must("permissions.deleteRole", f.in(`{"role":"ROLEID"}`)))
	s.post("permissions.deleteRole", `{"role":"editor"}`).fails(404, roleMissing)
	require.JSONEq(t, `{"enabled":true,"permissions":["docs.write"]}`, s.showKey(f))
	for endpoint, bodies := range map[string][]string{
		"permissions.getPermission":    {`{}`, `{"permission":""}`, `{"permission":"a b"}`, `{"permission":"x","y":1}`},
		"permissions.deletePermission": {`{}`, `{"permission":""}`, `{"permission":"a b"}`, `{"permission":"x","y":1}`},
		"permissions.getRole":          {`{}`, `{"role":""}`, `{"role":"x","y":1}`, `{"role":"` + strings.Repeat("x", 129) + `"}`},
		"permissions.deleteRole":       {`{}`, `{"role":""}`, `{"role":"x","y":1}`, `{"role":"` + strings.Repeat("x", 129) + `"}`},
	} {
		for _, body := range bodies {
			s.post(endpoint, body).fails(400, invalidInput)
		}
	}
}

// permissions.setRolePermissions: docs/contract.md 2.5 and D-11.
func TestSetRolePermissions(t *testing.T) {
	s := newServer(t)
	id := s.get("roleId", "permissions.createRole", `{"name":"r","permissions":["keep.permission","old"]}`)
	set := fmt.Sprintf(`{"roleId":%q,"permissions":["KEEP.Permission","new.permission","NEW.Permission"]}`, id)
	first := s.must("permissions.setRolePermissions", set)
	require.Equal(t, []string{"keep.permission", "new.permission"}, names(t, first, "slug"))
	require.Equal(t, first, s.must("permissions.setRolePermissions", set), "repeating changes nothing")
	require.Equal(t, "[]", s.must("permissions.setRolePermissions", fmt.Sprintf(`{"roleId":%q,"permissions":[]}`, id)))
	s.must("permissions.getPermission", `{"permission":"old"}`) // still there, but not in the role
	s.post("permissions.setRolePermissions", `{"roleId":"role_nothing","permissions":[]}`).fails(404, roleMissing)
	s.must("permissions.createRole", `{"name":"by_name"}`)
	s.post("permissions.setRolePermissions", `{"roleId":"by_name","permissions":[]}`).fails(404, roleMissing) // ids only
	s.grant("rbac.*.add_permission_to_role", "rbac.*.remove_permission_from_role").
		post("permissions.setRolePermissions", fmt.Sprintf(`{"roleId":%q,"permissions":["unheard"]}`, id)).fails(403, forbidden)
	for _, body := range []string{
		`{}`, `{"roleId":"abc"}`, `{"permissions":[]}`, `{"roleId":"ab","permissions":[]}`, `{"roleId":"a b c","permissions":[]}`,
		`{"roleId":"abc","permissions":[""]}`, `{"roleId":"abc","permissions":null}`, `{"roleId":"abc","permissions":[],"x":1}`,
	} {
		s.post("permissions.setRolePermissions", body).fails(400, invalidInput)
	}
}

// Pages and search: docs/contract.md 1.14.
func TestLists(t *testing.T) {
	for _, test := range []struct{ endpoint, create, other, id, name string }{
		{"permissions.listPermissions", "permissions.createPermission", `{"name":"Named %[1]d","slug":"b.b_%03[1]d","description":"Ends in %%"}`, "permissionId", "slug"},
		{"permissions.listRoles", "permissions.createRole", `{"name":"b.b_%03[1]d","description":"Named %[1]d, ends in %%"}`, "roleId", "name"},
	} {
		t.Run(test.endpoint, func(t *testing.T) {
			s := newServer(t)
			require.Equal(t, "[]", s.must(test.endpoint, `{}`))
			require.False(t, s.post(test.endpoint, `{}`).Pagination.HasMore)
			var ids []string
			for n := range 105 {
				ids = append(ids, s.get(test.id, test.create, fmt.Sprintf(test.other, n)))
			}
			for _, limit := range []int{100, 7, 35} { // 35 divides 105: the last page is full
				var got []string
				cursor, pages := "", 0
				for {
					re := s.post(test.endpoint, fmt.Sprintf(`{"limit":%d,"cursor":%q}`, limit, cursor))
					got = append(got, names(t, re.ok(), "id")...)
					pages++
					require.Equal(t, re.Pagination.HasMore, re.Pagination.Cursor != nil, "absent, and never null")
					if !re.Pagination.HasMore {
						break
					}
					cursor = *re.Pagination.Cursor
				}
				require.ElementsMatch(t, ids, got)
				require.IsIncreasing(t, got)
				require.Equal(t, (105+limit-1)/limit, pages)
			}
			require.Len(t, names(t, s.must(test.endpoint, `{}`), "id"), 100, "the default")
			require.Equal(t, "[]", s.must(test.endpoint, `{"cursor":"zzz"}`), "any cursor is a bound")
			for search, want := range map[string]int{
				"B.B_01": 10, "  b.b_104  ": 1, "  ": 100, "": 100, "named 99": 1, "b.b.": 0, "b%b": 0, "in %": 100, "\\": 0, ids[3][5:]: 1,
			} {
				require.Len(t, names(t, s.must(test.endpoint, fmt.Sprintf(`{"search":%q}`, search)), test.name), want, "%q", search)
			}
			for _, body := range []string{
				`{"limit":0}`, `{"limit":101}`, `{"limit":-1}`, `{"limit":"5"}`, `{"cursor":null}`, `{"x":1}`,
				`{"cursor":"` + strings.Repeat("x", 1025) + `"}`, `{"search":"` + strings.Repeat("x", 257) + `"}`,
			} {
				s.post(test.endpoint, body).fails(400, invalidInput)
			}
		})
	}
}
