package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRows_PermissionsAndRoles(t *testing.T) {
	ofKey := func(list string) string { return `{"keyId":"KEYID",` + list + `}` }
	tell(t, []story{
		{"row 200", func(_ *testing.T, s *server, f fixture) {
			for _, slug := range []string{"a b", "a@b", "a#b", "a$b", "a%b", strings.Repeat("a", 129), ""} {
				s.refuses(400, invalidInput, "permissions.createPermission", fmt.Sprintf(`{"name":"x","slug":%q}`, slug))
			}
			s.refuses(400, invalidInput, "permissions.createPermission", `{"slug":"x"}`, `{"name":"","slug":"x"}`, `{"name":"x"}`,
				`{"name":"x","slug":"x","description":"`+strings.Repeat("x", 513)+`"}`)
		}},
		{"row 201", func(_ *testing.T, s *server, f fixture) {
			s.refuses(409, "unkey/data/permission_already_exists", "permissions.createPermission", `{"name":"x","slug":"docs.read"}`)
		}},
		{"row 202", func(_ *testing.T, s *server, f fixture) {
			s.refuses(409, "unkey/data/role_already_exists", "permissions.createRole", `{"name":"editor"}`)
		}},
		{"row 205", func(t *testing.T, s *server, f fixture) {
			same(t, s.post("permissions.getPermission", f.in(`{"permission":"PERMID"}`)), s.post("permissions.getPermission", `{"permission":"docs.read"}`))
			require.Equal(t, f.permissionID, s.get("id", "permissions.getPermission", `{"permission":"docs.read"}`))
		}},
		{"row 206", func(t *testing.T, s *server, f fixture) {
			require.NotContains(t, s.must("permissions.getRole", `{"role":"editor"}`), "permissions")
		}},
		{"row 208", func(t *testing.T, s *server, f fixture) {
			k := s.newKey(f, `,"roles":["editor"]`)
			require.Equal(t, "{}", s.must("permissions.deleteRole", `{"role":"editor"}`))
			require.NotContains(t, s.showKey(k), "editor")
		}},
		{"row 209", func(t *testing.T, s *server, f fixture) {
			var slugs []string
			for i := range 105 {
				slugs = append(slugs, fmt.Sprintf(`"p.%d"`, i))
				s.must("permissions.createRole", fmt.Sprintf(`{"name":"r%d"}`, i))
			}
			s.must("keys.setPermissions", f.in(`{"keyId":"KEYID","permissions":[`+strings.Join(slugs, ",")+`]}`))
			for _, endpoint := range []string{"permissions.listPermissions", "permissions.listRoles"} {
				first := s.post(endpoint, `{}`)
				require.Len(t, first.list("id"), 100)
				require.True(t, first.Pagination.HasMore)
				rest := s.post(endpoint, fmt.Sprintf(`{"cursor":%q}`, *first.Pagination.Cursor))
				require.Len(t, rest.list("id"), 6)
				require.False(t, rest.Pagination.HasMore)
			}
		}},
		{"row 210", func(t *testing.T, s *server, f fixture) {
			id := s.get("roleId", "permissions.createRole", `{"name":"r","permissions":["keep.permission","old.permission"]}`)
			body := fmt.Sprintf(`{"roleId":%q,"permissions":["KEEP.Permission","new.permission","NEW.Permission"]}`, id)
			first := s.post("permissions.setRolePermissions", body)
			require.Equal(t, []string{"keep.permission", "new.permission"}, first.texts("slug"))
			same(t, first, s.post("permissions.setRolePermissions", body))
			require.NotContains(t, s.must("permissions.getRole", `{"role":"r"}`), "old.permission")
		}},
		{"row 212", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "keys.addPermissions", f.in(ofKey(`"permissions":[]`)), `{"permissions":["docs.read"]}`)
		}},
		{"row 213", func(t *testing.T, s *server, f fixture) {
			require.Equal(t, []string{"docs.read"}, s.post("keys.addPermissions", f.in(ofKey(`"permissions":["docs.read","docs.read"]`))).texts("slug"))
		}},
		{"row 214", func(_ *testing.T, s *server, f fixture) {
			odd := s.grant("api.read.update_key", "rbac.*.add_permission_to_key")
			odd.refuses(403, forbidden, "keys.addPermissions", f.in(ofKey(`"permissions":["docs.read"]`)))
			odd.refuses(403, forbidden, "keys.removeRoles", f.in(ofKey(`"roles":["editor"]`)))
		}},
		{"row 216", func(t *testing.T, s *server, f fixture) {
			able := s.grant("api.*.update_key", "rbac.*.add_permission_to_key", "rbac.*.remove_permission_from_key", "rbac.*.create_permission")
			require.Equal(t, []string{"brand.new"}, able.post("keys.setPermissions", f.in(ofKey(`"permissions":["brand.new"]`))).texts("slug"))
			s.must("permissions.getPermission", `{"permission":"brand.new"}`)
		}},
		{"row 217", func(_ *testing.T, s *server, f fixture) {
			other := s.foreign()
			theirs := other.get("permissionId", "permissions.createPermission", `{"name":"x","slug":"x"}`)
			s.refuses(404, permissionMissing, "keys.removePermissions", f.in(ofKey(`"permissions":["nothing"]`)), f.in(ofKey(`"permissions":["`+theirs+`"]`)))
		}},
		{"row 218", func(t *testing.T, s *server, f fixture) {
			s.must("keys.addPermissions", f.in(ofKey(`"permissions":["other"]`)))
			require.Equal(t, []string{"other"}, s.post("keys.removePermissions", f.in(ofKey(`"permissions":["docs.read"]`))).texts("slug"))
		}},
		{"row 220", func(t *testing.T, s *server, f fixture) {
			s.must("permissions.createRole", `{"name":"reader"}`)
			s.must("keys.addRoles", f.in(ofKey(`"roles":["editor","reader"]`)))
			require.Equal(t, []string{"editor", "reader"}, s.post("keys.addRoles", f.in(ofKey(`"roles":["editor"]`))).texts("name"))
		}},
		{"row 221", func(t *testing.T, s *server, f fixture) {
			s.must("permissions.createRole", `{"name":"reader"}`)
			s.must("keys.addRoles", f.in(ofKey(`"roles":["editor"]`)))
			require.Equal(t, []string{"editor"}, s.post("keys.removeRoles", f.in(ofKey(`"roles":["reader"]`))).texts("name"))
			require.Equal(t, "[]", s.must("keys.removeRoles", f.in(ofKey(`"roles":["editor"]`))))
		}},
		{"row 222", func(t *testing.T, s *server, f fixture) {
			for range 2 {
				require.Equal(t, []string{"editor"}, s.post("keys.setRoles", f.in(ofKey(`"roles":["editor"]`))).texts("name"))
			}
			require.Equal(t, "[]", s.must("keys.setRoles", f.in(ofKey(`"roles":[]`))))
		}},
	})
}

// texts returns one field of each item of data.
func (re *reply) texts(field string) (list []string) {
	re.t.Helper()
	var items []map[string]any
	require.NoError(re.t, json.Unmarshal([]byte(re.ok()), &items))
	for _, item := range items {
		list = append(list, item[field].(string))
	}
	return list
}

func TestRows_Ratelimit(t *testing.T) {
	tell(t, []story{
		{"row 224", func(t *testing.T, s *server, f fixture) {
			s.grant("ratelimit.*.limit").refuses(403, forbidden, "ratelimit.limit", ask("new", "i", 1, 1))
			s.refuses(404, namespaceMissing, "ratelimit.listOverrides", `{"namespace":"new"}`)
			s.grant("ratelimit.*.limit", "ratelimit.*.create_namespace").must("ratelimit.limit", ask("new", "i", 1, 1))
			require.Equal(t, "[]", s.must("ratelimit.listOverrides", `{"namespace":"new"}`))
		}},
		{"row 225", func(t *testing.T, s *server, f fixture) {
			first := s.post("ratelimit.limit", ask("new", "i", 1, 1)).fields()
			require.Equal(t, []any{true, 0.0}, []any{first["success"], first["remaining"]})
			require.Equal(t, false, s.post("ratelimit.limit", ask("new", "i", 1, 1)).fields()["success"])
		}},
		{"row 226", func(t *testing.T, s *server, f fixture) {
			for _, pattern := range []string{"premium", "p*"} {
				id := s.get("overrideId", "ratelimit.setOverride", fmt.Sprintf(`{"namespace":"space","identifier":%q,"limit":200,"duration":120000}`, pattern))
				identifier := strings.Replace(pattern, "*", "2", 1)
				data := s.post("ratelimit.limit", ask("space", identifier, 5, 1)).fields()
				require.Equal(t, []any{200.0, 199.0, id}, []any{data["limit"], data["remaining"], data["overrideId"]})
			}
		}},
		{"row 228", func(_ *testing.T, s *server, f fixture) {
			for _, name := range []string{"x", "a b/ü'\"%\n🎉", strings.Repeat("n", 255)} {
				s.must("ratelimit.limit", ask(name, "i", 1, 1))
			}
		}},
		{"row 229", func(t *testing.T, s *server, f fixture) {
			s.must("ratelimit.limit", ask("two", "i", 1, 1))
			m := s.multi(ask("one", "i", 5, 1), ask("two", "i", 1, 1), ask("three", "i", 5, 1))
			require.False(t, m.Passed)
			require.Len(t, m.Limits, 3)
			require.Equal(t, []bool{true, false, true}, []bool{m.Limits[0].Passed, m.Limits[1].Passed, m.Limits[2].Passed})
		}},
		{"row 230", func(_ *testing.T, s *server, f fixture) { s.refuses(400, invalidInput, "ratelimit.multiLimit", `[]`) }},
		{"row 232", func(t *testing.T, s *server, f fixture) {
			body := `{"namespace":"space","identifier":"same","limit":%d,"duration":60000}`
			first := s.get("overrideId", "ratelimit.setOverride", fmt.Sprintf(body, 1))
			require.Equal(t, first, s.get("overrideId", "ratelimit.setOverride", fmt.Sprintf(body, 2)))
		}},
		{"row 233", func(t *testing.T, s *server, f fixture) {
			missing := s.post("ratelimit.getOverride", `{"namespace":"space","identifier":"nobody"}`).fails(404, overrideMissing)
			same(t, missing, s.grant("none").post("ratelimit.getOverride", `{"namespace":"space","identifier":"i"}`))
		}},
	})
}

// TestRows_Refill sets the clock, which only runs forward: so row 237 is about the February of 2026.
func TestRows_Refill(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	key := func(credits string) fixture { return s.newKey(f, `,"credits":`+credits) }
	balance := func(k fixture) any {
		return s.post("keys.getKey", k.in(`{"keyId":"KEYID"}`)).fields()["credits"].(map[string]any)["remaining"]
	}
	daily, full := key(`{"remaining":100,"refill":{"interval":"daily","amount":1000}}`), key(`{"remaining":1000,"refill":{"interval":"daily","amount":1000}}`)
	last := key(`{"remaining":1,"refill":{"interval":"monthly","amount":500,"refillDay":31}}`)

	s.now += day
	require.Equal(t, 1000.0, balance(daily), "row 234")
	require.Equal(t, 1000.0, balance(full), "row 236")

	// row 238: what is spent on the day of a refill stays spent.
	s.must("keys.updateCredits", daily.in(`{"keyId":"KEYID","operation":"set","value":3}`))
	s.now += 1000
	require.Equal(t, 3.0, balance(daily))

	s.now = time.Date(2026, 2, 27, 23, 59, 59, 0, time.UTC).UnixMilli()
	require.Equal(t, 500.0, balance(last), "caught up for the months before")
	s.must("keys.updateCredits", last.in(`{"keyId":"KEYID","operation":"set","value":2}`))
	require.Equal(t, 2.0, balance(last))
	s.now += 1000
	require.Equal(t, 500.0, balance(last), "row 237")
}
