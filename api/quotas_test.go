package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

const rateLimited = "user/too_many_requests/workspace_rate_limited"

// Quotas bind a workspace, and operators set them: docs/contract.md 7.2, D-52.
func TestQuotas_BindAWorkspace(t *testing.T) {
	s := newServer(t)
	id := s.get("workspaceId", "workspaces.createWorkspace", `{"name":"tenant"}`)
	tenant := s.inside(id)
	limits := func(text string) {
		t.Helper()
		require.Equal(t, "{}", s.must("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"limits":%s}`, id, text)))
	}
	shown := func() string {
		t.Helper()
		return s.must("workspaces.listWorkspaces", fmt.Sprintf(`{"cursor":%q,"limit":1}`, id))
	}
	require.NotContains(t, shown(), `"limits"`)
	limits(`{"keys":1,"identities":0,"apis":1}`)
	require.Contains(t, shown(), `"limits":{"keys":1,"identities":0,"apis":1},"used":{"keys":0,"identities":0,"apis":0,"permissions":0,`)
	api := tenant.get("apiId", "apis.createApi", `{"name":"abc"}`)
	create := fmt.Sprintf(`{"apiId":%q}`, api)
	key := tenant.get("keyId", "keys.createKey", create)
	require.Contains(t, shown(), `"used":{"keys":1,"identities":0,"apis":1,`)
	digest := s.digest()
	re := tenant.post("keys.createKey", create, "Idempotency-Key", "a").fails(429, rateLimited)
	require.Equal(t, "The workspace has used up its quota of 1 keys", re.Error.Detail)
	require.Equal(t, "60", re.Header().Get("Retry-After"))
	require.Empty(t, re.Header().Get("Ratelimit-Limit"), "that is about requests per second")
	for endpoint, body := range map[string]string{
		"keys.rerollKey":            fmt.Sprintf(`{"keyId":%q,"expiration":0}`, key),
		"keys.updateKey":            fmt.Sprintf(`{"keyId":%q,"externalId":"abc"}`, key),
		"apis.createApi":            `{"name":"abc"}`,
		"identities.createIdentity": `{"externalId":"abc"}`,
	} {
		tenant.post(endpoint, body).fails(429, rateLimited)
	}
	require.Equal(t, digest, s.digest())
	s.must("apis.createApi", `{"name":"abc"}`) // other workspaces have no quota

	// A root key with all permissions but one cannot lift the quota of its own workspace.
	all := fsm.AllPermissions()
	for _, missing := range []string{string(fsm.OperateClusterPermission)} {
		var some []string
		for _, p := range all {
			if p != missing {
				some = append(some, p)
			}
		}
		tenant.grant(some...).post("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"limits":{"keys":null}}`, id)).fails(403, forbidden)
	}

	// A permanent deletion makes room. null removes a limit, an absent one stays.
	tenant.must("keys.deleteKey", fmt.Sprintf(`{"keyId":%q,"permanent":true}`, key))
	tenant.must("keys.createKey", create)
	limits(`{"keys":null}`)
	tenant.must("keys.createKey", create)
	require.Contains(t, shown(), `"limits":{"identities":0,"apis":1}`)
	require.Contains(t, shown(), `"enabled":true`)
	limits(`{"identities":null,"apis":null}`)
	require.NotContains(t, shown(), `"limits"`)

	for _, bad := range []string{`{"keys":-1}`, `{"requestsPerSecond":0}`, `{"keys":1.5}`, `{"keys":"1"}`, `{"wands":1}`, `null`, `[]`} {
		s.post("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"limits":%s}`, id, bad)).fails(400, invalidInput)
	}
	s.post("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"limits":{}}`, id)).fails(400, invalidInput)
	s.post("workspaces.updateWorkspace", `{"workspaceId":"ws_none","limits":{"keys":1}}`).fails(404, "unkey/data/workspace_not_found")
}

// The quota of requests holds at each node, with the headers of docs/contract.md 1.6.
func TestQuotas_RequestsPerSecond(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	id := s.get("workspaceId", "workspaces.createWorkspace", `{"name":"tenant"}`)
	tenant := s.inside(id)
	body := fmt.Sprintf(`{"workspaceId":%q,"limits":{"requestsPerSecond":2}}`, id)
	s.must("workspaces.updateWorkspace", body)
	ask := func() *reply { return tenant.post("apis.getApi", `{"apiId":"api_none"}`) }
	headers := func(re *reply) string {
		var all []string
		for _, name := range []string{"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"} {
			all = append(all, re.Header().Get(name))
		}
		return strings.Join(all, " ")
	}
	require.Equal(t, "2 1 1 ", headers(ask().fails(404, apiNotFound)))
	require.Equal(t, "2 0 1 ", headers(tenant.post("apis.createApi", `{"name":"abc"}`)), "every endpoint counts")
	digest := s.digest()
	re := tenant.post("apis.createApi", `{"name":"abc"}`).fails(429, rateLimited)
	require.Equal(t, "2 0 1 1", headers(re))
	require.Equal(t, "application/problem+json", re.Header().Get("Content-Type"))
	require.Equal(t, digest, s.digest())
	tenant.post("apis.createApi", `{"name":1}`).fails(400, invalidInput)
	tenant.as("nobody").post("apis.createApi", `{"name":"abc"}`).fails(401, "unkey/authentication/key_not_found")
	require.Equal(t, "   ", headers(s.post("apis.createApi", `{"name":"abc"}`)), "a workspace without a quota sees nothing of it")
	require.Eventually(t, func() bool { return ask().Code == 404 }, 5*time.Second, 50*time.Millisecond)
	s.must("workspaces.updateWorkspace", strings.Replace(body, "2}", "null}", 1))
	require.Empty(t, strings.TrimSpace(headers(ask())))
}
