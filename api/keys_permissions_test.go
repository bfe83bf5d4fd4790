package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// keys.createKey with permissions and roles: docs/contract.md 2.3.
func TestCreateKey_PermissionsAndRoles(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("permissions.setRolePermissions", f.in(`{"roleId":"ROLEID","permissions":["docs.read","admin"]}`))
	k := s.newKey(f, `,"permissions":["docs.write","DOCS.READ","docs.write"],"roles":["Editor","editor"]`)
	require.JSONEq(t, `{"enabled":true,"permissions":["admin","docs.read","docs.write"],"roles":["editor"]}`, s.showKey(k))
	require.JSONEq(t, s.must("keys.getKey", k.in(`{"keyId":"KEYID"}`)), s.must("keys.whoami", k.in(`{"key":"SECRET"}`)))
	require.JSONEq(t, `{"enabled":true}`, s.showKey(s.newKey(f, `,"permissions":[],"roles":[]`)))
	s.newKey(f, `,"permissions":[`+strings.Repeat(`"a",`, 999)+`"a"]`)

	s.post("keys.createKey", f.in(`{"apiId":"API","externalId":"nobody","permissions":["unheard"],"roles":["nothing"]}`)).fails(404, roleMissing)
	s.post("identities.getIdentity", `{"identity":"nobody"}`).fails(404, identityMissing)
	s.post("permissions.getPermission", `{"permission":"unheard"}`).fails(404, permissionMissing)
	s.grant("api.*.create_key").must("keys.createKey", f.in(`{"apiId":"API","permissions":["unheard"]}`)) // needs no more
	s.must("permissions.getPermission", `{"permission":"unheard"}`)
	for _, fields := range []string{
		`"permissions":null`, `"permissions":"a"`, `"permissions":[""]`, `"permissions":["a b"]`, `"roles":null`, `"roles":[""]`,
		`"permissions":[` + strings.Repeat(`"a",`, 1000) + `"a"]`, `"roles":[` + strings.Repeat(`"a",`, 100) + `"a"]`,
	} {
		s.post("keys.createKey", f.in(`{"apiId":"API",`+fields+`}`)).fails(400, invalidInput)
	}
}

// keys.updateKey: absent keeps, a list replaces. docs/contract.md 2.3.
func TestUpdateKey_PermissionsAndRoles(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"permissions":["docs.read","docs.write"],"roles":["editor"],"name":"n"`)
	for _, test := range []struct{ change, want string }{
		{`"name":"m"`, `"name":"m","permissions":["docs.read","docs.write"],"roles":["editor"]`},
		{`"permissions":["docs.read","new"]`, `"name":"m","permissions":["docs.read","new"],"roles":["editor"]`},
		{`"roles":[]`, `"name":"m","permissions":["docs.read","new"]`},
		{`"name":null`, `"permissions":["docs.read","new"]`},
		{`"roles":["editor"],"permissions":[]`, `"roles":["editor"]`},
	} {
		s.must("keys.updateKey", f.in(`{"keyId":"KEYID",`+test.change+`}`))
		require.JSONEq(t, fmt.Sprintf(`{%s,"enabled":true,"updatedAt":%d}`, test.want, int64(startTime)), s.showKey(f), test.change)
	}
	before := s.showKey(f)
	s.post("keys.updateKey", f.in(`{"keyId":"KEYID","name":"x","permissions":["unheard"],"roles":["nothing"]}`)).fails(404, roleMissing)
	require.Equal(t, before, s.showKey(f))
	s.post("permissions.getPermission", `{"permission":"unheard"}`).fails(404, permissionMissing)
	for _, change := range []string{`"permissions":null`, `"roles":null`, `"permissions":["a b"]`} {
		s.post("keys.updateKey", f.in(`{"keyId":"KEYID",`+change+`}`)).fails(400, invalidInput)
	}
}

// keys.addPermissions, removePermissions, setPermissions: docs/contract.md 2.3.
func TestKeyPermissions(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), ``)
	s.must("permissions.setRolePermissions", f.in(`{"roleId":"ROLEID","permissions":["inherited"]}`))
	s.must("keys.setRoles", f.in(`{"keyId":"KEYID","roles":["editor"]}`))
	slugs := func(verb, list string) []string {
		return names(t, s.must("keys."+verb+"Permissions", f.in(`{"keyId":"KEYID","permissions":`+list+`}`)), "slug")
	}
	require.JSONEq(t, f.in(`[{"id":"PERMID","name":"Read","slug":"docs.read"}]`),
		s.must("keys.addPermissions", f.in(`{"keyId":"KEYID","permissions":["docs.read","DOCS.read"]}`)))
	require.Equal(t, []string{"docs.read"}, slugs("add", `["docs.read"]`), "already there")
	require.Equal(t, []string{"docs.read", "fresh"}, slugs("add", `["fresh"]`), "direct ones only, made when unknown")
	require.Equal(t, "fresh", s.get("name", "permissions.getPermission", `{"permission":"fresh"}`))
	require.Equal(t, []string{"docs.read", "fresh"}, slugs("remove", `["inherited"]`), "not assigned directly")
	require.Equal(t, []string{"fresh"}, slugs("remove", `["Docs.Read"]`))
	require.Equal(t, []string{"docs.read", "other"}, slugs("set", `["other","docs.read","OTHER"]`))
	require.Equal(t, []string{"docs.read", "other"}, slugs("set", `["docs.read","other"]`))
	require.JSONEq(t, `{"enabled":true,"permissions":["docs.read","inherited","other"],"roles":["editor"]}`, s.showKey(f), "no updatedAt")

	for _, list := range []string{`["other","unheard"]`, f.in(`["PERMID"]`)} { // an id is a slug here
		s.post("keys.removePermissions", f.in(`{"keyId":"KEYID","permissions":`+list+`}`)).fails(404, permissionMissing)
	}
	s.foreign().must("permissions.createPermission", `{"name":"x","slug":"theirs"}`)
	s.post("keys.removePermissions", f.in(`{"keyId":"KEYID","permissions":["theirs"]}`)).fails(404, permissionMissing)
	require.Equal(t, []string{"docs.read", "other"}, slugs("remove", `["fresh"]`), "nothing was removed")
	require.Equal(t, []string{}, slugs("set", `[]`))

	weak := s.grant("api.*.update_key", "rbac.*.add_permission_to_key", "rbac.*.remove_permission_from_key")
	for _, verb := range []string{"add", "set"} {
		weak.must("keys."+verb+"Permissions", f.in(`{"keyId":"KEYID","permissions":["other"]}`))
		re := weak.post("keys."+verb+"Permissions", f.in(`{"keyId":"KEYID","permissions":["other","unheard"]}`)).fails(403, forbidden)
		require.Equal(t, "Missing permission: 'rbac.*.create_permission'", re.Error.Detail)
	}
	s.grant("api.read.update_key", "rbac.*.add_permission_to_key").
		post("keys.addPermissions", f.in(`{"keyId":"KEYID","permissions":["other"]}`)).fails(403, forbidden)
	for _, verb := range []string{"add", "remove", "set"} {
		s.grant("x").post("keys."+verb+"Permissions", `{"keyId":"key_nothing","permissions":["a"]}`).fails(404, keyNotFound)
		for _, body := range []string{
			`{}`, `{"permissions":["a"]}`, `{"keyId":"KEYID"}`, `{"keyId":"ab","permissions":["a"]}`, `{"keyId":"KEYID","permissions":["a b"]}`,
			`{"keyId":"KEYID","permissions":null}`, `{"keyId":"KEYID","permissions":["a"],"x":1}`,
			`{"keyId":"KEYID","permissions":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`,
		} {
			s.post("keys."+verb+"Permissions", f.in(body)).fails(400, invalidInput)
		}
		if verb != "set" {
			s.post("keys."+verb+"Permissions", f.in(`{"keyId":"KEYID","permissions":[]}`)).fails(400, invalidInput)
		}
	}
}

// keys.addRoles, removeRoles, setRoles: docs/contract.md 2.3.
func TestKeyRoles(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), ``)
	s.must("permissions.createRole", `{"name":"admin","description":"d","permissions":["docs.read"]}`)
	roles := func(verb, list string) []string {
		return names(t, s.must("keys."+verb+"Roles", f.in(`{"keyId":"KEYID","roles":`+list+`}`)), "name")
	}
	require.Equal(t, []string{"editor"}, roles("add", `["EDITOR","editor"]`))
	require.Equal(t, []string{"admin", "editor"}, roles("add", `["admin"]`))
	require.Equal(t, []string{"admin", "editor"}, roles("add", `["admin"]`), "already there")
	require.Equal(t, []string{"admin"}, roles("remove", `["editor"]`))
	require.Equal(t, []string{"admin"}, roles("remove", `["editor"]`), "not assigned")
	require.Equal(t, []string{"admin"}, roles("set", `["admin"]`))
	admin := s.must("permissions.getRole", `{"role":"admin"}`)
	require.JSONEq(t, `[`+admin+`]`, s.must("keys.setRoles", f.in(`{"keyId":"KEYID","roles":["admin"]}`)))
	for _, verb := range []string{"add", "remove", "set"} {
		for _, name := range []string{"nothing", f.roleID} { // names only
			s.post("keys."+verb+"Roles", f.in(fmt.Sprintf(`{"keyId":"KEYID","roles":["editor",%q]}`, name))).fails(404, roleMissing)
		}
	}
	require.JSONEq(t, `{"enabled":true,"permissions":["docs.read"],"roles":["admin"]}`, s.showKey(f), "nothing changed, no updatedAt")
	require.Equal(t, []string{}, roles("remove", `["admin"]`), "the last one")
	require.Equal(t, []string{}, roles("set", `[]`))

	s.grant("api.read.update_key").post("keys.removeRoles", f.in(`{"keyId":"KEYID","roles":["admin"]}`)).fails(403, forbidden)
	for _, verb := range []string{"add", "remove", "set"} {
		s.grant("x").post("keys."+verb+"Roles", `{"keyId":"key_nothing","roles":["a"]}`).fails(404, keyNotFound)
		for _, body := range []string{
			`{}`, `{"roles":["a"]}`, `{"keyId":"KEYID"}`, `{"keyId":"ab","roles":["a"]}`, `{"keyId":"KEYID","roles":[""]}`,
			`{"keyId":"KEYID","roles":null}`, `{"keyId":"KEYID","roles":["a"],"x":1}`,
			`{"keyId":"KEYID","roles":[` + strings.Repeat(`"a",`, 100) + `"a"]}`,
		} {
			s.post("keys."+verb+"Roles", f.in(body)).fails(400, invalidInput)
		}
		if verb != "set" {
			s.post("keys."+verb+"Roles", f.in(`{"keyId":"KEYID","roles":[]}`)).fails(400, invalidInput)
		}
	}
}

// A verification shows what the key may do: docs/contract.md 3.7.
func TestVerifyKey_ShowsPermissionsAndRoles(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("permissions.setRolePermissions", f.in(`{"roleId":"ROLEID","permissions":["docs.read","docs.write"]}`))
	s.must("identities.updateIdentity", `{"identity":"user_1","meta":{"plan":"pro"},"credits":null}`)
	f = s.newKey(f, `,"name":"n","externalId":"user_1","permissions":["admin","docs.read"],"roles":["editor"]`)
	shown := f.in(`"keyId":"KEYID","enabled":true,"name":"n","permissions":["admin","docs.read","docs.write"],"roles":["editor"],` +
		`"identity":{"id":"IDENTITY","externalId":"user_1","meta":{"plan":"pro"}}}`)
	require.JSONEq(t, `{"valid":true,"code":"VALID",`+shown, s.verify(f, ``))
	require.JSONEq(t, `{"valid":false,"code":"INSUFFICIENT_PERMISSIONS",`+shown, s.verify(f, `,"permissions":"nothing"`))
	s.must("permissions.deleteRole", `{"role":"editor"}`)
	require.Contains(t, s.verify(f, ``), `"permissions":["admin","docs.read"]}`)
	s.must("keys.setPermissions", f.in(`{"keyId":"KEYID","permissions":[]}`))
	require.NotContains(t, s.verify(f, ``), `"permissions"`)
}

// The permission query: docs/contract.md 3.5.
func TestVerifyKey_Query(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"permissions":["api.read","api.write","api.*","p1","p2","p3"],"credits":{"remaining":5}`)
	ask := func(query string) string { return s.verify(f, `,"credits":{"cost":0},"permissions":`+quote(query)) }
	nested := "((p1 AND p2) OR (p3 AND (p4 OR p5)))"
	deep := nested + " AND " + nested + " AND " + nested + " AND " + nested + " and " + nested // 25 operands
	require.Equal(t, 25, strings.Count(deep, "p"))
	for query, code := range map[string]string{
		"api.read": "VALID", "api.read AND api.write": "VALID", "api.* OR api.edit": "VALID", "api.edit": "INSUFFICIENT_PERMISSIONS",
		"API.read": "INSUFFICIENT_PERMISSIONS", "api.edit OR (api.read AND api.delete)": "INSUFFICIENT_PERMISSIONS", deep: "VALID",
		deep + " AND p6": "INSUFFICIENT_PERMISSIONS",
	} {
		require.Contains(t, ask(query), `"code":"`+code+`"`, query)
	}
	require.Contains(t, s.verify(f, `,"permissions":"nothing"`), `"credits":5`, "nothing is charged")

	for query, position := range map[string]string{
		"permission_1 AND": "", "(permission_1 AND permission_2": "position 30", "permission_1 AND ()": "position 18", "AND permission_1": "position 0",
		" ": "", "a b": "position 2", "a & b": "position 2",
	} {
		for _, key := range []string{"SECRET", "DISABLED"} {
			if key == "DISABLED" { // a bad query is told before the state of the key: 3.3
				s.must("keys.updateKey", f.in(`{"keyId":"KEYID","enabled":false}`))
			}
			re := s.post("keys.verifyKey", f.in(`{"key":"SECRET","permissions":`+quote(query)+`}`)).fails(400, querySyntax)
			require.Empty(t, *re.Error.Errors)
			require.Contains(t, re.Error.Detail, position)
			require.Equal(t, position != "", strings.Contains(re.Error.Detail, "position"), re.Error.Detail)
		}
		s.must("keys.updateKey", f.in(`{"keyId":"KEYID","enabled":true}`))
	}
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.must("keys.verifyKey", `{"key":"nobody","permissions":"("}`))
	for _, query := range []string{`""`, `null`, `["a"]`, `"` + strings.Repeat("a", 1001) + `"`} {
		s.post("keys.verifyKey", f.in(`{"key":"SECRET","permissions":`+query+`}`)).fails(400, invalidInput)
	}
}
