package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// story is the test of a row of docs/contract.md 5, in a workspace of its own that has the usual things in it.
type story struct {
	row  string
	tell func(t *testing.T, s *server, f fixture)
}

func tell(t *testing.T, stories []story) {
	t.Helper()
	base := newServer(t)
	for _, story := range stories {
		t.Run(story.row, func(t *testing.T) {
			s := base.on(t).foreign()
			story.tell(t, s, s.fixture())
		})
	}
}

// refuses requires the same refusal of each body.
func (s *server) refuses(status int, path, endpoint string, bodies ...string) {
	s.t.Helper()
	for _, body := range bodies {
		s.post(endpoint, body).fails(status, path)
	}
}

// same requires answers that differ in nothing but the request id.
func same(t *testing.T, replies ...*reply) {
	t.Helper()
	for _, re := range replies[1:] {
		require.Equal(t, replies[0].anonymous(), re.anonymous())
	}
}

// fields reads data as an object.
func (re *reply) fields() (data map[string]any) {
	re.t.Helper()
	require.NoError(re.t, json.Unmarshal([]byte(re.ok()), &data))
	return data
}

const (
	unauthorized = "unkey/authentication/key_not_found"
	malformed    = "unkey/authentication/malformed"
	precondition = "unkey/application/precondition_failed"
)

func TestRows_Conventions(t *testing.T) {
	tell(t, []story{
		{"row 1", func(t *testing.T, s *server, f fixture) {
			re := s.post("apis.createApi", `{"name":"ab"}`).fails(400, invalidInput)
			require.Equal(t, "Bad Request", re.Error.Title)
			require.Len(t, *re.Error.Errors, 1)
			require.Equal(t, "/properties/name/minLength", (*re.Error.Errors)[0].Location)
			require.Equal(t, "minLength: got 2, want 3", (*re.Error.Errors)[0].Message)
		}},
		{"row 2", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "apis.createApi", `{}`, `{"name":""}`)
		}},
		{"row 4", func(_ *testing.T, s *server, f fixture) {
			s.post("apis.createApi", `{"name":"abc"}`, "Authorization", "").fails(400, invalidInput)
		}},
		{"row 5", func(_ *testing.T, s *server, f fixture) {
			s.as("nobody").refuses(401, unauthorized, "apis.createApi", `{"name":"abc"}`)
		}},
		{"row 6", func(_ *testing.T, s *server, f fixture) {
			s.grant("api.*.read_api").refuses(403, forbidden, "apis.createApi", `{"name":"abc"}`)
			s.grant("identity.*.create_identity").refuses(403, forbidden, "apis.createApi", `{"name":"abc"}`)
		}},
		{"row 8", func(t *testing.T, s *server, f fixture) {
			re := s.post("apis.deleteApi", f.in(`{"apiId":"API"}`), "Authorization", "").fails(400, invalidInput)
			require.Equal(t, "Authorization header for 'bearer' scheme", re.Error.Detail)
		}},
		{"row 9", func(_ *testing.T, s *server, f fixture) {
			s.post("apis.deleteApi", f.in(`{"apiId":"API"}`), "Authorization", s.token).fails(400, malformed)
		}},
		{"row 10", func(_ *testing.T, s *server, f fixture) {
			s.post("identities.deleteIdentity", `{"identity":"user_1"}`, "Authorization", "Bearer ").fails(400, malformed)
		}},
		{"row 12", func(t *testing.T, s *server, f fixture) {
			re := s.as("random").post("identities.deleteIdentity", `{"identity":"user_1"}`).fails(401, unauthorized)
			require.Equal(t, "Unauthorized", re.Error.Title)
		}},
		{"row 13", func(_ *testing.T, s *server, f fixture) {
			s.post("keys.createKey", f.in(`{"apiId":"API"}`), "Authorization", "Bearer     nobody").fails(401, unauthorized)
		}},
		{"row 14", func(_ *testing.T, s *server, f fixture) { // that there is a request id, every answer is checked for
			s.as("nobody").refuses(401, unauthorized, "keys.verifyKey", f.in(`{"key":"SECRET"}`))
		}},
		{"row 16", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "identities.listIdentities", `{"limit":`)
		}},
		{"row 17", func(_ *testing.T, s *server, f fixture) {
			s.as("nobody").post("identities.listIdentities", `{}`, "Content-Type", "").fails(400, invalidInput)
		}},
		{"row 20", func(_ *testing.T, s *server, f fixture) {
			s.grant("Identity.*.Delete_Identity").refuses(403, forbidden, "identities.deleteIdentity", `{"identity":"user_1"}`)
		}},
		{"row 21", func(t *testing.T, s *server, f fixture) {
			re := s.grant("api.*.read_api").post("identities.getIdentity", `{"identity":"user_1"}`).fails(403, forbidden)
			require.Contains(t, re.Error.Detail, "identity.*.read_identity")
			require.NotContains(t, re.Error.Detail, "api.*.read_api")
		}},
	})
}

func TestRows_APIs(t *testing.T) {
	tell(t, []story{
		{"row 24", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "apis.getApi", `{}`, `{"apiId":""}`)
		}},
		{"row 25", func(t *testing.T, s *server, f fixture) {
			unknown, foreign := s.post("apis.getApi", `{"apiId":"api_nothing"}`).fails(404, apiNotFound), s.foreign().post("apis.getApi", f.in(`{"apiId":"API"}`))
			s.must("apis.deleteApi", f.in(`{"apiId":"API"}`))
			same(t, unknown, foreign, s.post("apis.getApi", f.in(`{"apiId":"API"}`)))
		}},
		{"row 26", func(t *testing.T, s *server, f fixture) {
			const name = `Zahlungen für 日本 🎉 <"&'>`
			quoted, err := json.Marshal(name)
			require.NoError(t, err)
			id := s.get("apiId", "apis.createApi", `{"name":`+string(quoted)+`}`)
			require.Equal(t, name, s.get("name", "apis.getApi", fmt.Sprintf(`{"apiId":%q}`, id)))
		}},
		{"row 28", func(_ *testing.T, s *server, f fixture) {
			s.must("apis.deleteApi", f.in(`{"apiId":"API"}`))
			s.refuses(404, apiNotFound, "apis.deleteApi", f.in(`{"apiId":"API"}`), f.in(`{"apiId":"API"}`))
		}},
		{"row 29", func(_ *testing.T, s *server, f fixture) {
			s.grant("api.api_other.delete_api").refuses(403, forbidden, "apis.deleteApi", f.in(`{"apiId":"API"}`))
		}},
		{"row 32", func(_ *testing.T, s *server, f fixture) {
			s.refuses(400, invalidInput, "apis.listKeys", f.in(`{"apiId":"API","limit":0}`), f.in(`{"apiId":"API","limit":-1}`), f.in(`{"apiId":"API","limit":101}`))
		}},
		{"row 33", func(t *testing.T, s *server, f fixture) {
			re := s.post("apis.listKeys", f.in(`{"apiId":"API","externalId":"nobody"}`))
			require.Equal(t, "[]", re.ok())
			require.False(t, re.Pagination.HasMore)
			require.Nil(t, re.Pagination.Cursor)
		}},
		{"row 34", func(t *testing.T, s *server, f fixture) {
			f.apiID = s.get("apiId", "apis.createApi", `{"name":"empty"}`)
			require.Equal(t, "[]", s.must("apis.listKeys", f.in(`{"apiId":"API"}`)))
		}},
		{"row 36", func(_ *testing.T, s *server, f fixture) {
			s.grant("api.*.read_key", "api.*.read_api").refuses(403, forbidden, "apis.listKeys", f.in(`{"apiId":"API","decrypt":true}`))
		}},
		{"row 37", func(_ *testing.T, s *server, f fixture) {
			s.refuses(412, precondition, "apis.listKeys", f.in(`{"apiId":"API","decrypt":true}`))
		}},
		{"row 38", func(_ *testing.T, s *server, f fixture) {
			s.refuses(404, apiNotFound, "apis.listKeys", `{"apiId":"`+strings.Repeat("a", 501)+`"}`, `{"apiId":"a b/ü%00\"'"}`)
		}},
		{"row 40", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateCredits", `{"identity":"user_1","operation":"set","value":500}`)
			s.must("keys.updateCredits", f.in(`{"keyId":"KEYID","operation":"set","value":100}`))
			data := s.must("apis.listKeys", f.in(`{"apiId":"API"}`))
			require.Contains(t, data, `"credits":{"remaining":100}`)
			require.Contains(t, data, `"credits":{"remaining":500}`)
		}},
		{"row 41", func(t *testing.T, s *server, f fixture) {
			f.apiID = s.get("apiId", "apis.createApi", `{"name":"other"}`)
			s.newKey(f, ``)
			require.NotContains(t, s.must("apis.listKeys", f.in(`{"apiId":"API"}`)), "credits")
		}},
		{"row 42", func(t *testing.T, s *server, f fixture) {
			s.must("identities.updateIdentity", `{"identity":"user_1","credits":{"remaining":750,"refill":{"interval":"monthly","amount":1000,"refillDay":1}}}`)
			require.Contains(t, s.must("apis.listKeys", f.in(`{"apiId":"API"}`)),
				`"credits":{"remaining":750,"refill":{"interval":"monthly","amount":1000,"refillDay":1}}`)
		}},
	})
}
