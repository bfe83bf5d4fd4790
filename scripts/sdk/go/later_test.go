package suite

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/stretchr/testify/require"
	"github.com/unkeyed/sdks/api/go/v2/models/components"
)

// later are the rows of methods whose endpoint not_served.txt still lists. A row runs from the moment its line is gone; it moves
// to rows with that change.
var later = map[string]func(*suite){
	"apis.deleteApi": func(s *suite) {
		id := s.api()
		created := s.createKey(components.V2KeysCreateKeyRequestBody{APIID: id})
		_, err := s.Apis.DeleteAPI(s.ctx, components.V2ApisDeleteAPIRequestBody{APIID: id})
		require.NoError(s.t, err)
		require.Equal(s.t, components.CodeNotFound, s.verify(components.V2KeysVerifyKeyRequestBody{Key: created.Key}).Code)
	},
	"apis.listKeys": func(s *suite) {
		id := s.api()
		first := s.createKey(components.V2KeysCreateKeyRequestBody{APIID: id})
		second := s.createKey(components.V2KeysCreateKeyRequestBody{APIID: id})
		request, seen := components.V2ApisListKeysRequestBody{APIID: id, Limit: ptr(int64(1))}, []string{}
		for {
			got, err := s.Apis.ListKeys(s.ctx, request)
			require.NoError(s.t, err)
			for _, key := range got.V2ApisListKeysResponseBody.Data {
				seen = append(seen, key.KeyID)
			}
			if !got.V2ApisListKeysResponseBody.Pagination.HasMore {
				break
			}
			request.Cursor = got.V2ApisListKeysResponseBody.Pagination.Cursor
		}
		require.ElementsMatch(s.t, []string{first.KeyID, second.KeyID}, seen)
	},
	"identities.listIdentities": func(s *suite) {
		s.identity(unique("user"))
		got, err := s.Identities.ListIdentities(s.ctx, components.V2IdentitiesListIdentitiesRequestBody{})
		require.NoError(s.t, err)
		require.NotEmpty(s.t, got.V2IdentitiesListIdentitiesResponseBody.Data)
	},

	"keys.rerollKey": func(s *suite) {
		old := s.createKey(components.V2KeysCreateKeyRequestBody{Name: ptr("old")})
		got, err := s.Keys.RerollKey(s.ctx, components.V2KeysRerollKeyRequestBody{KeyID: old.KeyID, Expiration: 0})
		require.NoError(s.t, err)
		renewed := got.V2KeysRerollKeyResponseBody.Data
		require.Equal(s.t, "old", *s.getKey(renewed.KeyID).Name)
		require.True(s.t, s.verify(components.V2KeysVerifyKeyRequestBody{Key: renewed.Key}).Valid)
		require.Equal(s.t, components.CodeExpired, s.verify(components.V2KeysVerifyKeyRequestBody{Key: old.Key}).Code)
	},
	"keys.migrateKeys": func(s *suite) {
		migration, secret := unique("migration"), unique("secret")
		status, body := s.post("migrations.createMigration", map[string]any{"migrationId": migration, "algorithm": "sha256"})
		require.Equal(s.t, 200, status, body)
		sum := sha256.Sum256([]byte(secret))
		hash := base64.StdEncoding.EncodeToString(sum[:])
		got, err := s.Keys.MigrateKeys(s.ctx, components.V2KeysMigrateKeysRequestBody{
			MigrationID: migration, APIID: s.api(), Keys: []components.V2KeysMigrateKeyData{{Hash: hash}, {Hash: hash}},
		})
		require.NoError(s.t, err)
		data := got.V2KeysMigrateKeysResponseBody.Data
		require.Len(s.t, data.Migrated, 1)
		require.Equal(s.t, []string{hash}, data.Failed)
		require.True(s.t, s.verify(components.V2KeysVerifyKeyRequestBody{Key: secret}).Valid)
	},

	"keys.addPermissions": func(s *suite) {
		slug := unique("slug")
		got, err := s.Keys.AddPermissions(s.ctx, components.V2KeysAddPermissionsRequestBody{KeyID: s.plainKey(), Permissions: []string{slug}})
		require.NoError(s.t, err)
		require.Equal(s.t, slug, got.V2KeysAddPermissionsResponseBody.Data[0].Slug)
	},
	"keys.removePermissions": func(s *suite) {
		slug := unique("slug")
		id := s.createKey(components.V2KeysCreateKeyRequestBody{Permissions: []string{slug}}).KeyID
		got, err := s.Keys.RemovePermissions(s.ctx, components.V2KeysRemovePermissionsRequestBody{KeyID: id, Permissions: []string{slug}})
		require.NoError(s.t, err)
		require.Empty(s.t, got.V2KeysRemovePermissionsResponseBody.Data)
	},
	"keys.setPermissions": func(s *suite) {
		slug := unique("slug")
		id := s.createKey(components.V2KeysCreateKeyRequestBody{Permissions: []string{unique("slug")}}).KeyID
		got, err := s.Keys.SetPermissions(s.ctx, components.V2KeysSetPermissionsRequestBody{KeyID: id, Permissions: []string{slug}})
		require.NoError(s.t, err)
		require.Len(s.t, got.V2KeysSetPermissionsResponseBody.Data, 1)
		require.Equal(s.t, []string{slug}, s.getKey(id).Permissions)
	},
	"keys.addRoles": func(s *suite) {
		_, name := s.role()
		got, err := s.Keys.AddRoles(s.ctx, components.V2KeysAddRolesRequestBody{KeyID: s.plainKey(), Roles: []string{name}})
		require.NoError(s.t, err)
		require.Equal(s.t, name, got.V2KeysAddRolesResponseBody.Data[0].Name)
	},
	"keys.removeRoles": func(s *suite) {
		_, name := s.role()
		id := s.createKey(components.V2KeysCreateKeyRequestBody{Roles: []string{name}}).KeyID
		got, err := s.Keys.RemoveRoles(s.ctx, components.V2KeysRemoveRolesRequestBody{KeyID: id, Roles: []string{name}})
		require.NoError(s.t, err)
		require.Empty(s.t, got.V2KeysRemoveRolesResponseBody.Data)
	},
	"keys.setRoles": func(s *suite) {
		_, name := s.role()
		id := s.plainKey()
		got, err := s.Keys.SetRoles(s.ctx, components.V2KeysSetRolesRequestBody{KeyID: id, Roles: []string{name}})
		require.NoError(s.t, err)
		require.Len(s.t, got.V2KeysSetRolesResponseBody.Data, 1)
		require.Equal(s.t, []string{name}, s.getKey(id).Roles)
	},

	"permissions.createPermission": func(s *suite) {
		id, _ := s.permission()
		require.Regexp(s.t, "^perm_", id)
	},
	"permissions.getPermission": func(s *suite) {
		id, slug := s.permission()
		for _, ref := range []string{id, slug} {
			got, err := s.Permissions.GetPermission(s.ctx, components.V2PermissionsGetPermissionRequestBody{Permission: ref})
			require.NoError(s.t, err)
			require.Equal(s.t, components.Permission{ID: id, Name: slug, Slug: slug}, got.V2PermissionsGetPermissionResponseBody.Data)
		}
	},
	"permissions.listPermissions": func(s *suite) {
		s.permission()
		got, err := s.Permissions.ListPermissions(s.ctx, components.V2PermissionsListPermissionsRequestBody{})
		require.NoError(s.t, err)
		require.NotEmpty(s.t, got.V2PermissionsListPermissionsResponseBody.Data)
	},
	"permissions.deletePermission": func(s *suite) {
		_, slug := s.permission()
		_, err := s.Permissions.DeletePermission(s.ctx, components.V2PermissionsDeletePermissionRequestBody{Permission: slug})
		require.NoError(s.t, err)
	},
	"permissions.createRole": func(s *suite) {
		id, _ := s.role()
		require.Regexp(s.t, "^role_", id)
	},
	"permissions.getRole": func(s *suite) {
		id, name := s.role()
		for _, ref := range []string{id, name} {
			got, err := s.Permissions.GetRole(s.ctx, components.V2PermissionsGetRoleRequestBody{Role: ref})
			require.NoError(s.t, err)
			require.Equal(s.t, components.Role{ID: id, Name: name}, got.V2PermissionsGetRoleResponseBody.Data)
		}
	},
	"permissions.listRoles": func(s *suite) {
		s.role()
		got, err := s.Permissions.ListRoles(s.ctx, components.V2PermissionsListRolesRequestBody{})
		require.NoError(s.t, err)
		require.NotEmpty(s.t, got.V2PermissionsListRolesResponseBody.Data)
	},
	"permissions.deleteRole": func(s *suite) {
		_, name := s.role()
		_, err := s.Permissions.DeleteRole(s.ctx, components.V2PermissionsDeleteRoleRequestBody{Role: name})
		require.NoError(s.t, err)
	},

	"ratelimit.limit": func(s *suite) {
		request := components.V2RatelimitLimitRequestBody{Namespace: unique("ns"), Identifier: "user", Limit: 1, Duration: 3_600_000}
		for _, want := range []bool{true, false} {
			got, err := s.Ratelimit.Limit(s.ctx, request)
			require.NoError(s.t, err)
			require.Equal(s.t, want, got.V2RatelimitLimitResponseBody.Data.Success)
			require.Zero(s.t, got.V2RatelimitLimitResponseBody.Data.Remaining)
		}
	},
	"ratelimit.multiLimit": func(s *suite) {
		one := components.V2RatelimitLimitRequestBody{Namespace: unique("ns"), Identifier: "user", Limit: 5, Duration: 3_600_000}
		got, err := s.Ratelimit.MultiLimit(s.ctx, []components.V2RatelimitLimitRequestBody{one})
		require.NoError(s.t, err)
		require.True(s.t, got.V2RatelimitMultiLimitResponseBody.Data.Passed)
		require.Len(s.t, got.V2RatelimitMultiLimitResponseBody.Data.Limits, 1)
	},
	"ratelimit.setOverride": func(s *suite) {
		id, _ := s.override()
		require.Regexp(s.t, "^rlor_", id)
	},
	"ratelimit.getOverride": func(s *suite) {
		id, namespace := s.override()
		got, err := s.Ratelimit.GetOverride(s.ctx, components.V2RatelimitGetOverrideRequestBody{Namespace: namespace, Identifier: "user"})
		require.NoError(s.t, err)
		want := components.RatelimitOverride{OverrideID: id, Identifier: "user", Limit: 7, Duration: 60_000}
		require.Equal(s.t, want, got.V2RatelimitGetOverrideResponseBody.Data)
	},
	"ratelimit.listOverrides": func(s *suite) {
		_, namespace := s.override()
		got, err := s.Ratelimit.ListOverrides(s.ctx, components.V2RatelimitListOverridesRequestBody{Namespace: namespace})
		require.NoError(s.t, err)
		require.Len(s.t, got.V2RatelimitListOverridesResponseBody.Data, 1)
	},
	"ratelimit.deleteOverride": func(s *suite) {
		_, namespace := s.override()
		_, err := s.Ratelimit.DeleteOverride(s.ctx, components.V2RatelimitDeleteOverrideRequestBody{Namespace: namespace, Identifier: "user"})
		require.NoError(s.t, err)
	},
}

// plainKey makes a key and returns its id.
func (s *suite) plainKey() string { return s.createKey(components.V2KeysCreateKeyRequestBody{}).KeyID }

func (s *suite) permission() (id, slug string) {
	slug = unique("slug")
	created, err := s.Permissions.CreatePermission(s.ctx, components.V2PermissionsCreatePermissionRequestBody{Name: slug, Slug: slug})
	require.NoError(s.t, err)
	return created.V2PermissionsCreatePermissionResponseBody.Data.PermissionID, slug
}

func (s *suite) role() (id, name string) {
	name = unique("role")
	created, err := s.Permissions.CreateRole(s.ctx, components.V2PermissionsCreateRoleRequestBody{Name: name})
	require.NoError(s.t, err)
	return created.V2PermissionsCreateRoleResponseBody.Data.RoleID, name
}

// override makes a namespace, which the first use of a limit does, and an override in it.
func (s *suite) override() (id, namespace string) {
	namespace = unique("ns")
	_, err := s.Ratelimit.Limit(s.ctx, components.V2RatelimitLimitRequestBody{
		Namespace: namespace, Identifier: "user", Limit: 5, Duration: 3_600_000,
	})
	require.NoError(s.t, err)
	set, err := s.Ratelimit.SetOverride(s.ctx, components.V2RatelimitSetOverrideRequestBody{
		Namespace: namespace, Identifier: "user", Limit: 7, Duration: 60_000,
	})
	require.NoError(s.t, err)
	return set.V2RatelimitSetOverrideResponseBody.Data.OverrideID, namespace
}
