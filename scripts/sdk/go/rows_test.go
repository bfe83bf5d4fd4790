package suite

import (
	"time"

	"github.com/stretchr/testify/require"
	"github.com/unkeyed/sdks/api/go/v2/models/components"
)

// rows has one entry for every method of the SDK whose endpoint is served. A row makes what it needs.
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

		require.Equal(s.t, components.CodeNotFound, s.verify(components.V2KeysVerifyKeyRequestBody{Key: "nobody"}).Code)
		expired := s.createKey(components.V2KeysCreateKeyRequestBody{Expires: ptr(int64(1))})
		require.Equal(s.t, components.CodeExpired, s.verify(components.V2KeysVerifyKeyRequestBody{Key: expired.Key}).Code)
		disabled := s.createKey(components.V2KeysCreateKeyRequestBody{Enabled: ptr(false)})
		require.Equal(s.t, components.CodeDisabled, s.verify(components.V2KeysVerifyKeyRequestBody{Key: disabled.Key}).Code)
	},
	"keys.updateKey": func(s *suite) {
		created := s.createKey(components.V2KeysCreateKeyRequestBody{})
		_, err := s.Keys.UpdateKey(s.ctx, components.V2KeysUpdateKeyRequestBody{
			KeyID: created.KeyID, Name: ptr("renamed"), Enabled: ptr(false), Meta: map[string]any{"a": "b"}, ExternalID: ptr(unique("user")),
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
