package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// list returns one field of each item.
func (re *reply) list(field string) []string {
	re.t.Helper()
	var items []map[string]any
	require.NoError(re.t, json.Unmarshal([]byte(re.ok()), &items))
	require.NotNil(re.t, items)
	require.NotNil(re.t, re.Pagination)
	require.Equal(re.t, re.Pagination.HasMore, re.Pagination.Cursor != nil)
	list := []string{}
	for _, item := range items {
		list = append(list, item[field].(string))
	}
	return list
}

// every reads a list to its end.
func (s *server) every(endpoint, fields, field string) []string {
	s.t.Helper()
	all, cursor := []string{}, ""
	for {
		re := s.post(endpoint, fmt.Sprintf(`{%s"cursor":%q}`, fields, cursor))
		all = append(all, re.list(field)...)
		if !re.Pagination.HasMore {
			return all
		}
		cursor = *re.Pagination.Cursor
	}
}

// A page of large items ends early, and the pages together have them all: docs/contract.md 1.14 [D-34].
func TestListKeys_PagesAreBounded(t *testing.T) {
	s := newServer(t)
	const keys = 60
	inAPI := `"apiId":"` + s.get("apiId", "apis.createApi", `{"name":"large"}`) + `",`
	meta := `"meta":{"a":"` + strings.Repeat("x", 64_000) + `"}`
	var made []string
	for range keys {
		made = append(made, s.get("keyId", "keys.createKey", `{`+inAPI+meta+`}`))
	}
	first := s.post("apis.listKeys", `{`+inAPI+`"limit":100}`)
	require.True(t, first.Pagination.HasMore)
	require.Greater(t, len(first.text), 2<<20)
	require.Less(t, len(first.text), 4<<20)
	require.ElementsMatch(t, made, s.every("apis.listKeys", inAPI, "keyId"))
}

// A cursor is any string, of any length but where 1.10 limits it: docs/contract.md 1.10 and 1.14.
func TestCursor_MayBeLong(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("ratelimit.limit", `{"namespace":"long","identifier":"i","limit":1,"duration":1000}`)
	long := strings.Repeat("z", 5000)
	for endpoint, fields := range map[string]string{
		"apis.listKeys": f.in(`"apiId":"API",`), "apis.listApis": "", "identities.listIdentities": "", "ratelimit.listOverrides": `"namespace":"long",`,
		"rootKeys.listRootKeys": "", "workspaces.listWorkspaces": "",
	} {
		require.Empty(t, s.post(endpoint, `{`+fields+`"cursor":"`+long+`"}`).list("any"), endpoint)
	}
}

// apis.deleteApi: docs/contract.md 2.2.
func TestDeleteAPI(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.grant("api.other.delete_api").post("apis.deleteApi", f.in(`{"apiId":"API"}`)).fails(403, forbidden)
	require.Equal(t, "{}", s.must("apis.deleteApi", f.in(`{"apiId":"API"}`)))
	for range 2 {
		s.post("apis.deleteApi", f.in(`{"apiId":"API"}`)).fails(404, apiNotFound)
	}
	s.post("apis.getApi", f.in(`{"apiId":"API"}`)).fails(404, apiNotFound)
	s.post("apis.listKeys", f.in(`{"apiId":"API"}`)).fails(404, apiNotFound)
	s.post("keys.createKey", f.in(`{"apiId":"API"}`)).fails(404, apiNotFound)
	s.post("keys.getKey", f.in(`{"keyId":"KEYID"}`)).fails(404, keyNotFound)
	s.post("keys.whoami", f.in(`{"key":"SECRET"}`)).fails(404, keyNotFound)
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, s.must("keys.verifyKey", f.in(`{"key":"SECRET"}`)))
	for _, body := range []string{`{}`, `{"apiId":"short"}`, `{"apiId":"api-nothing"}`, `{"apiId":"api_nothing","x":1}`} {
		s.post("apis.deleteApi", body).fails(400, invalidInput)
	}
	s.result = &fsm.Refusal{Code: fsm.APIProtected} // row 30: no endpoint protects an API
	s.post("apis.deleteApi", f.in(`{"apiId":"API"}`)).fails(412, "unkey/application/protected_resource")
}

// apis.listKeys: docs/contract.md 2.2 and 1.14.
func TestListKeys(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	ids := []string{f.keyID}
	for n := range 4 {
		k := s.newKey(f, fmt.Sprintf(`,"externalId":"other","enabled":%t`, n%2 == 0))
		ids = append(ids, k.keyID)
	}
	gone := s.newKey(f, `,"externalId":"other"`)
	s.must("keys.deleteKey", gone.in(`{"keyId":"KEYID"}`))
	s.must("identities.createIdentity", `{"externalId":"keyless"}`)

	body := f.in(`{"apiId":"API","limit":100,"decrypt":false,"revalidateKeysCache":false}`) // as SDKs send it
	re := s.post("apis.listKeys", body)
	require.ElementsMatch(t, ids, re.list("keyId"))
	require.IsIncreasing(t, re.list("keyId"))
	require.False(t, re.Pagination.HasMore)
	var items []json.RawMessage
	require.NoError(t, json.Unmarshal(re.Data, &items))
	for i, id := range re.list("keyId") {
		require.JSONEq(t, s.must("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, id)), string(items[i]))
	}
	require.ElementsMatch(t, ids, s.every("apis.listKeys", f.in(`"apiId":"API","limit":2,`), "keyId"))
	require.Equal(t, []string{f.keyID}, s.every("apis.listKeys", f.in(`"apiId":"API","externalId":"user_1",`), "keyId"))
	require.Len(t, s.every("apis.listKeys", f.in(`"apiId":"API","externalId":"other","limit":3,`), "keyId"), 4)
	first := s.post("apis.listKeys", f.in(`{"apiId":"API","limit":2}`))
	require.Equal(t, re.list("keyId")[2], *first.Pagination.Cursor, "the cursor is the first item of the next page")

	for _, fields := range []string{`"externalId":"nobody"`, `"externalId":"a@b"`, `"externalId":"keyless"`, `"cursor":"zz"`} {
		re := s.post("apis.listKeys", f.in(`{"apiId":"API",`+fields+`}`))
		require.Equal(t, `[]`, re.ok())
		require.Contains(t, re.text, `"pagination":{"hasMore":false}`)
	}
	for _, fields := range []string{`"limit":0`, `"limit":-1`, `"limit":101`, `"externalId":""`, `"x":1`, `"cursor":null`} {
		s.post("apis.listKeys", f.in(`{"apiId":"API",`+fields+`}`)).fails(400, invalidInput)
	}
	s.post("apis.listKeys", `{"apiId":""}`).fails(400, invalidInput)
	s.post("apis.listKeys", `{"apiId":"no such / thing"}`).fails(404, apiNotFound)

	decrypt := f.in(`{"apiId":"API","decrypt":true}`)
	s.post("apis.listKeys", decrypt).fails(412, "unkey/application/precondition_failed")
	s.grant("api.*.read_key", "api.*.read_api").post("apis.listKeys", decrypt).fails(403, forbidden)
	for _, half := range []string{"api.*.read_key", "api.*.read_api"} {
		require.Equal(t, s.post("apis.listKeys", `{"apiId":"nothing"}`).anonymous(),
			s.grant(half).post("apis.listKeys", f.in(`{"apiId":"API"}`)).anonymous())
	}
}

// identities.listIdentities: docs/contract.md 2.4 and 1.14.
func TestListIdentities(t *testing.T) {
	s := newServer(t)
	require.Equal(t, `[]`, s.grant("nothing").must("identities.listIdentities", `{}`), "an empty page needs no permission")
	for _, id := range []string{"an.na", "B.ob", "b_b", "b-b", "gone"} {
		s.must("identities.createIdentity", fmt.Sprintf(`{"externalId":%q,"credits":{"remaining":7}}`, id))
	}
	s.post("identities.deleteIdentity", `{"identity":"gone"}`)
	s.foreign().must("identities.createIdentity", `{"externalId":"foreign"}`)
	require.ElementsMatch(t, []string{"an.na", "B.ob", "b_b", "b-b"}, s.every("identities.listIdentities", `"limit":1,`, "externalId"))
	require.IsIncreasing(t, s.every("identities.listIdentities", ``, "id"))
	for search, want := range map[string][]string{
		"": {"an.na", "B.ob", "b_b", "b-b"}, "  ": {"an.na", "B.ob", "b_b", "b-b"}, "N.N": {"an.na"}, " b.o ": {"B.ob"}, "b_b": {"b_b"}, "%": {}, "a%": {},
	} {
		require.ElementsMatch(t, want, s.every("identities.listIdentities", fmt.Sprintf(`"search":%q,`, search), "externalId"), search)
	}
	require.Contains(t, s.must("identities.listIdentities", `{"search":"an.na","limit":100}`), `"credits":{"remaining":7}`)
	for _, body := range []string{`{"limit":0}`, `{"limit":101}`, `{"x":1}`, fmt.Sprintf(`{"search":%q}`, make([]byte, 257))} {
		s.post("identities.listIdentities", body).fails(400, invalidInput)
	}
}

// rootKeys.listRootKeys and rootKeys.revokeRootKey: docs/contract.md 7.2.
func TestRootKeys_ListAndRevoke(t *testing.T) {
	s := newServer(t)
	re := s.post("rootKeys.createRootKey", fmt.Sprintf(`{"name":"ci","permissions":["b","a"],"expires":%d}`, startTime+day))
	id, ci := re.field("keyId"), s.as(re.field("key"))
	require.ElementsMatch(t, []string{"key_root", id}, s.every("rootKeys.listRootKeys", `"limit":1,`, "keyId"))
	shown := s.must("rootKeys.listRootKeys", fmt.Sprintf(`{"cursor":%q,"limit":1}`, id))
	require.JSONEq(t, fmt.Sprintf(
		`[{"keyId":%q,"name":"ci","workspaceId":"ws_test","permissions":["a","b"],"createdAt":%d,"expires":%d,"enabled":true}]`,
		id, int64(startTime), int64(startTime+day)), shown)
	require.NotContains(t, shown, ci.token)

	over := s.get("keyId", "rootKeys.createRootKey", `{"name":"over","permissions":["a"],"expires":0}`)
	require.Contains(t, s.must("rootKeys.listRootKeys", fmt.Sprintf(`{"cursor":%q,"limit":1}`, over)), `"expires":0,`)
	s.must("rootKeys.revokeRootKey", fmt.Sprintf(`{"keyId":%q}`, over))

	s.post("rootKeys.revokeRootKey", `{"keyId":"key_root"}`).fails(412, "unkey/application/precondition_failed")
	require.Equal(t, "{}", s.must("rootKeys.revokeRootKey", fmt.Sprintf(`{"keyId":%q}`, id)))
	s.post("rootKeys.revokeRootKey", fmt.Sprintf(`{"keyId":%q}`, id)).fails(404, keyNotFound)
	ci.post("apis.getApi", `{"apiId":"api_nothing"}`).fails(401, "unkey/authentication/key_not_found")
	require.Equal(t, []string{"key_root"}, s.every("rootKeys.listRootKeys", ``, "keyId"))
	s.post("rootKeys.revokeRootKey", `{}`).fails(400, invalidInput)
}

// workspaces.listWorkspaces and workspaces.updateWorkspace: docs/contract.md 7.2 and 1.3.
func TestWorkspaces_ListAndUpdate(t *testing.T) {
	s := newServer(t)
	id := s.get("workspaceId", "workspaces.createWorkspace", `{"name":"other"}`)
	inside := s.inside(id)
	f := inside.fixture()
	require.ElementsMatch(t, []string{workspace, id}, s.every("workspaces.listWorkspaces", `"limit":1,`, "workspaceId"))

	require.Equal(t, "{}", s.must("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"enabled":false}`, id)))
	require.JSONEq(t, fmt.Sprintf(`[{"workspaceId":%q,"name":"other","createdAt":%d,"enabled":false,"used":{"keys":1,"identities":1,"apis":1,"permissions":1,"roles":1,
		"namespaces":1,"overrides":1,"windows":1,"outcomes":0}}]`, id, int64(startTime)),
		s.must("workspaces.listWorkspaces", fmt.Sprintf(`{"cursor":%q,"limit":1}`, id)))
	inside.post("keys.verifyKey", f.in(`{"key":"SECRET"}`)).fails(403, "unkey/authorization/workspace_disabled")
	s.must("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"enabled":true}`, id))
	require.Contains(t, inside.must("keys.verifyKey", f.in(`{"key":"SECRET"}`)), `"valid":true`)

	s.post("workspaces.updateWorkspace", `{"workspaceId":"ws_test","enabled":false}`).fails(412, "unkey/application/precondition_failed")
	s.post("workspaces.updateWorkspace", `{"workspaceId":"ws_none","enabled":false}`).fails(404, "unkey/data/workspace_not_found")
	s.post("workspaces.updateWorkspace", `{"workspaceId":"ws_test"}`).fails(400, invalidInput)
}
