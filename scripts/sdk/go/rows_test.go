package suite

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/unkeyed/sdks/api/go/v2/models/components"
)

// rows has one entry for every method of the SDK that creditd serves. A row makes what it needs.
var rows = map[string]func(*suite){
	"apis.createApi": func(s *suite) {
		require.Regexp(s.t, "^api_", s.api())
	},
	"apis.getApi": func(s *suite) {
		id := s.api()
		got, err := s.Apis.GetAPI(s.ctx, components.V2ApisGetAPIRequestBody{APIID: id})
		require.NoError(s.t, err)
		require.Equal(s.t, components.V2ApisGetAPIResponseData{ID: id, Name: "sdk"}, got.V2ApisGetAPIResponseBody.Data)
		require.Regexp(s.t, "^req_", got.V2ApisGetAPIResponseBody.Meta.RequestID)
	},
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

	"keys.createKey": func(s *suite) {
		created := s.createKey(components.V2KeysCreateKeyRequestBody{
			Prefix: ptr("sdk"), Name: ptr("full"), ByteLength: ptr(int64(32)), ExternalID: ptr(unique("user")),
			Meta: map[string]any{"plan": "pro"}, Expires: ptr(time.Now().Add(time.Hour).UnixMilli()), Enabled: ptr(true),
			Credits: &components.KeyCreditsData{Remaining: ptr(int64(10)), Refill: &components.KeyCreditsRefill{
				Interval: components.KeyCreditsRefillIntervalMonthly, Amount: 5, RefillDay: ptr(int64(31)),
			}},
		})
		require.Regexp(s.t, "^key_", created.KeyID)
		require.Regexp(s.t, "^sdk_", created.Key)
		unlimited := s.createKey(components.V2KeysCreateKeyRequestBody{Credits: &components.KeyCreditsData{}}) // sends null
		require.Nil(s.t, s.getKey(unlimited.KeyID).Credits)
	},
	"keys.getKey": func(s *suite) {
		user, expires := unique("user"), time.Now().Add(time.Hour).UnixMilli()
		key := s.getKey(s.createKey(components.V2KeysCreateKeyRequestBody{
			Prefix: ptr("sdk"), Name: ptr("full"), ExternalID: &user, Meta: map[string]any{"plan": "pro"}, Expires: &expires,
			Credits: &components.KeyCreditsData{Remaining: ptr(int64(10)), Refill: &components.KeyCreditsRefill{
				Interval: components.KeyCreditsRefillIntervalDaily, Amount: 5,
			}},
		}).KeyID)
		require.Regexp(s.t, "^sdk_....$", key.Start)
		require.True(s.t, key.Enabled)
		require.NotZero(s.t, key.CreatedAt)
		require.Equal(s.t, "full", *key.Name)
		require.Equal(s.t, map[string]any{"plan": "pro"}, key.Meta)
		require.Equal(s.t, expires, *key.Expires)
		require.Equal(s.t, user, key.Identity.ExternalID)
		require.EqualValues(s.t, 10, *key.Credits.Remaining)
		require.Equal(s.t, components.KeyCreditsRefillIntervalDaily, key.Credits.Refill.Interval)
		require.EqualValues(s.t, 5, key.Credits.Refill.Amount)
		require.Nil(s.t, key.Credits.Refill.RefillDay)
	},
	"keys.whoami": func(s *suite) {
		created := s.createKey(components.V2KeysCreateKeyRequestBody{Name: ptr("me")})
		got, err := s.Keys.Whoami(s.ctx, components.V2KeysWhoamiRequestBody{Key: created.Key})
		require.NoError(s.t, err)
		require.Equal(s.t, s.getKey(created.KeyID), got.V2KeysWhoamiResponseBody.Data)
	},
	"keys.verifyKey": func(s *suite) {
		user := unique("user")
		created := s.createKey(components.V2KeysCreateKeyRequestBody{
			Name: ptr("spender"), ExternalID: &user, Meta: map[string]any{"plan": "pro"},
			Credits: &components.KeyCreditsData{Remaining: ptr(int64(5))},
		})
		verdict := s.verify(components.V2KeysVerifyKeyRequestBody{
			Key: created.Key, Tags: []string{"path=/v1"}, Credits: &components.KeysVerifyKeyCredits{Cost: 3},
		})
		require.True(s.t, verdict.Valid)
		require.Equal(s.t, components.CodeValid, verdict.Code)
		require.Equal(s.t, created.KeyID, *verdict.KeyID)
		require.Equal(s.t, 2, *verdict.Credits)
		require.Equal(s.t, "spender", *verdict.Name)
		require.Equal(s.t, user, verdict.Identity.ExternalID)
		require.Equal(s.t, map[string]any{"plan": "pro"}, verdict.Meta)

		verdict = s.verify(components.V2KeysVerifyKeyRequestBody{Key: created.Key, Credits: &components.KeysVerifyKeyCredits{Cost: 3}})
		require.False(s.t, verdict.Valid)
		require.Equal(s.t, components.CodeUsageExceeded, verdict.Code)
		require.Equal(s.t, 2, *verdict.Credits, "a denial charges nothing")

		slug := unique("slug")
		_, role := s.role()
		limited := s.createKey(components.V2KeysCreateKeyRequestBody{
			Permissions: []string{slug}, Roles: []string{role},
			Ratelimits: []components.RatelimitRequest{{Name: "requests", Limit: 1, Duration: 3_600_000, AutoApply: ptr(true)}},
		})
		verdict = s.verify(components.V2KeysVerifyKeyRequestBody{
			Key: limited.Key, Permissions: &slug,
			Ratelimits: []components.KeysVerifyKeyRatelimit{{Name: "ad-hoc", Limit: ptr(int64(5)), Duration: ptr(int64(3_600_000))}},
		})
		require.True(s.t, verdict.Valid)
		require.Equal(s.t, [][]string{{slug}, {role}}, [][]string{verdict.Permissions, verdict.Roles})
		left := map[string]int64{}
		for _, r := range verdict.Ratelimits {
			left[r.Name] = r.Remaining
		}
		require.Equal(s.t, map[string]int64{"requests": 0, "ad-hoc": 4}, left)
		verdict = s.verify(components.V2KeysVerifyKeyRequestBody{Key: limited.Key})
		require.Equal(s.t, components.CodeRateLimited, verdict.Code)
		require.True(s.t, verdict.Ratelimits[0].Exceeded)
		verdict = s.verify(components.V2KeysVerifyKeyRequestBody{Key: limited.Key, Permissions: ptr("nothing")})
		require.Equal(s.t, components.CodeInsufficientPermissions, verdict.Code)

		require.Equal(s.t, components.CodeNotFound, s.verify(components.V2KeysVerifyKeyRequestBody{Key: "nobody"}).Code)
		expired := s.createKey(components.V2KeysCreateKeyRequestBody{Expires: ptr(int64(1))})
		require.Equal(s.t, components.CodeExpired, s.verify(components.V2KeysVerifyKeyRequestBody{Key: expired.Key}).Code)
		disabled := s.createKey(components.V2KeysCreateKeyRequestBody{Enabled: ptr(false)})
		require.Equal(s.t, components.CodeDisabled, s.verify(components.V2KeysVerifyKeyRequestBody{Key: disabled.Key}).Code)
	},
	"keys.updateKey": func(s *suite) {
		_, role := s.role()
		created := s.createKey(components.V2KeysCreateKeyRequestBody{})
		_, err := s.Keys.UpdateKey(s.ctx, components.V2KeysUpdateKeyRequestBody{
			KeyID: created.KeyID, Name: ptr("renamed"), Enabled: ptr(false), Meta: map[string]any{"a": "b"}, ExternalID: ptr(unique("user")),
			Permissions: []string{"docs.read"}, Roles: []string{role},
			Ratelimits: []components.RatelimitRequest{{Name: "requests", Limit: 9, Duration: 60_000}},
			Credits: &components.UpdateKeyCreditsData{Remaining: ptr(int64(7)), Refill: &components.UpdateKeyCreditsRefill{
				Interval: components.UpdateKeyCreditsRefillIntervalMonthly, Amount: 3, RefillDay: ptr(int64(15)),
			}},
		})
		require.NoError(s.t, err)
		key := s.getKey(created.KeyID)
		require.Equal(s.t, "renamed", *key.Name)
		require.False(s.t, key.Enabled)
		require.Equal(s.t, map[string]any{"a": "b"}, key.Meta)
		require.NotNil(s.t, key.Identity)
		require.NotNil(s.t, key.UpdatedAt)
		require.EqualValues(s.t, 7, *key.Credits.Remaining)
		require.EqualValues(s.t, 15, *key.Credits.Refill.RefillDay)
		require.Equal(s.t, [][]string{{"docs.read"}, {role}}, [][]string{key.Permissions, key.Roles})
		want := components.RatelimitResponse{ID: key.Ratelimits[0].ID, Name: "requests", Limit: 9, Duration: 60_000}
		require.Equal(s.t, []components.RatelimitResponse{want}, key.Ratelimits)
	},
	"keys.updateCredits": func(s *suite) {
		created := s.createKey(components.V2KeysCreateKeyRequestBody{})
		change := func(operation components.Operation, value *int64) *int64 {
			got, err := s.Keys.UpdateCredits(s.ctx, components.V2KeysUpdateCreditsRequestBody{
				KeyID: created.KeyID, Operation: operation, Value: value,
			})
			require.NoError(s.t, err)
			return got.V2KeysUpdateCreditsResponseBody.Data.Remaining
		}
		require.EqualValues(s.t, 10, *change(components.OperationSet, ptr(int64(10))))
		require.EqualValues(s.t, 15, *change(components.OperationIncrement, ptr(int64(5))))
		require.EqualValues(s.t, 0, *change(components.OperationDecrement, ptr(int64(100))))
		require.Nil(s.t, change(components.OperationSet, nil), "this SDK cannot send null: an absent value means unlimited")
	},
	"keys.deleteKey": func(s *suite) {
		for _, permanent := range []*bool{nil, ptr(true)} {
			created := s.createKey(components.V2KeysCreateKeyRequestBody{})
			_, err := s.Keys.DeleteKey(s.ctx, components.V2KeysDeleteKeyRequestBody{KeyID: created.KeyID, Permanent: permanent})
			require.NoError(s.t, err)
			require.Equal(s.t, components.CodeNotFound, s.verify(components.V2KeysVerifyKeyRequestBody{Key: created.Key}).Code)
		}
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
			MigrationID: migration, APIID: s.api(), Keys: []components.V2KeysMigrateKeyData{{
				Hash: hash, Roles: []string{migration}, Permissions: []string{"migrated.read"},
				Ratelimits: []components.RatelimitRequest{{Name: "requests", Limit: 9, Duration: 60_000}},
			}, {Hash: hash}},
		})
		require.NoError(s.t, err)
		data := got.V2KeysMigrateKeysResponseBody.Data
		require.Len(s.t, data.Migrated, 1)
		require.Equal(s.t, []string{hash}, data.Failed)
		key := s.getKey(data.Migrated[0].KeyID)
		require.Equal(s.t, []string{"migrated.read"}, key.Permissions)
		require.Equal(s.t, []string{migration}, key.Roles)
		require.Len(s.t, key.Ratelimits, 1)
		require.True(s.t, s.verify(components.V2KeysVerifyKeyRequestBody{Key: secret}).Valid)
	},

	"identities.createIdentity": func(s *suite) {
		require.Regexp(s.t, "^id_", s.identity(unique("user")))
	},
	"identities.getIdentity": func(s *suite) {
		user := unique("user")
		id := s.identity(user)
		for _, ref := range []string{id, user} {
			got, err := s.Identities.GetIdentity(s.ctx, components.V2IdentitiesGetIdentityRequestBody{Identity: ref})
			require.NoError(s.t, err)
			want := components.Identity{ID: id, ExternalID: user, Meta: map[string]any{"tier": "gold"}}
			require.Equal(s.t, want, got.V2IdentitiesGetIdentityResponseBody.Data)
		}
	},
	"identities.listIdentities": func(s *suite) {
		s.identity(unique("user"))
		got, err := s.Identities.ListIdentities(s.ctx, components.V2IdentitiesListIdentitiesRequestBody{})
		require.NoError(s.t, err)
		require.NotEmpty(s.t, got.V2IdentitiesListIdentitiesResponseBody.Data)
	},
	"identities.updateIdentity": func(s *suite) {
		user := unique("user")
		id := s.identity(user)
		got, err := s.Identities.UpdateIdentity(s.ctx, components.V2IdentitiesUpdateIdentityRequestBody{
			Identity: user, Meta: map[string]any{"tier": "silver"},
		})
		require.NoError(s.t, err)
		want := components.Identity{ID: id, ExternalID: user, Meta: map[string]any{"tier": "silver"}}
		require.Equal(s.t, want, got.V2IdentitiesUpdateIdentityResponseBody.Data)
	},
	"identities.deleteIdentity": func(s *suite) {
		user := unique("user")
		first := s.identity(user)
		got, err := s.Identities.DeleteIdentity(s.ctx, components.V2IdentitiesDeleteIdentityRequestBody{Identity: user})
		require.NoError(s.t, err)
		require.Regexp(s.t, "^req_", got.V2IdentitiesDeleteIdentityResponseBody.Meta.RequestID)
		require.NotEqual(s.t, first, s.identity(user), "the externalId is free at once")
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

// api makes an API and returns its id.
func (s *suite) api() string {
	created, err := s.Apis.CreateAPI(s.ctx, components.V2ApisCreateAPIRequestBody{Name: "sdk"})
	require.NoError(s.t, err)
	return created.V2ApisCreateAPIResponseBody.Data.APIID
}

// createKey makes a key, in a new API unless the request names one.
func (s *suite) createKey(request components.V2KeysCreateKeyRequestBody) components.V2KeysCreateKeyResponseData {
	if request.APIID == "" {
		request.APIID = s.api()
	}
	created, err := s.Keys.CreateKey(s.ctx, request)
	require.NoError(s.t, err)
	return created.V2KeysCreateKeyResponseBody.Data
}

func (s *suite) getKey(id string) components.KeyResponseData {
	got, err := s.Keys.GetKey(s.ctx, components.V2KeysGetKeyRequestBody{KeyID: id})
	require.NoError(s.t, err)
	return got.V2KeysGetKeyResponseBody.Data
}

func (s *suite) verify(request components.V2KeysVerifyKeyRequestBody) components.V2KeysVerifyKeyResponseData {
	got, err := s.Keys.VerifyKey(s.ctx, request)
	require.NoError(s.t, err)
	return got.V2KeysVerifyKeyResponseBody.Data
}

// identity makes an identity and returns its id.
func (s *suite) identity(externalID string) string {
	created, err := s.Identities.CreateIdentity(s.ctx, components.V2IdentitiesCreateIdentityRequestBody{
		ExternalID: externalID, Meta: map[string]any{"tier": "gold"},
	})
	require.NoError(s.t, err)
	return created.V2IdentitiesCreateIdentityResponseBody.Data.IdentityID
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
