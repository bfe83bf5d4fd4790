package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// TestNearestPermission: the mistakes that people make, and what they mean.
func TestNearestPermission(t *testing.T) {
	for granted, want := range map[string]string{
		"api.*.verify-key":            "api.*.verify_key",
		"api.*.verifyKey":             "api.*.verify_key",
		"api.*.VERIFY_KEY":            "api.*.verify_key",
		"verify_key":                  "api.*.verify_key",
		"api.api_1.verify-key":        "api.api_1.verify_key",
		"api.api_1.create_api":        "api.*.create_api",
		"apis.*.create_key":           "api.*.create_key",
		"identities.*.read_identity":  "identity.*.read_identity",
		"ratelimit.rlns_1.limits":     "ratelimit.rlns_1.limit",
		"cluster.*.operator":          "cluster.*.operate",
		"rbac.role_1.delete_role":     "rbac.*.delete_role",
		"rbac.*.add_role_to_the_key":  "rbac.*.add_role_to_key",
		"audit.read":                  "audit.*.read",
		"api.*.remove_role_from_keys": "rbac.*.remove_role_from_key",
	} {
		require.False(t, fsm.KnownPermission(granted), granted)
		require.Equal(t, want, nearestPermission(granted), granted)
	}
}

func TestRootkeyCreate_RefusesWhatGrantsNothing(t *testing.T) {
	env := map[string]string{"CREDITD_ROOT_KEY": "root_test"}
	for _, test := range []struct {
		args []string
		says []string
	}{
		{[]string{"--permission", "*"}, []string{`--permission: "*": grants nothing`, "--admin"}},
		{[]string{"--permission", "api.*.verify-key"}, []string{`--permission: "api.*.verify-key"`, "the nearest permission is api.*.verify_key"}},
		{[]string{"--permission", "a.b,api.*.read_api,c"}, []string{`"a.b"`, `"c"`, "--allow-unknown"}},
		{[]string{"--admin", "--preset", "verify"}, []string{"--preset: --admin names a preset"}},
		{[]string{"--preset", "everything"}, []string{`--preset: "everything": unknown; one of admin, manage-keys, read-only, verify`}},
		{nil, []string{"--permission: missing", "--preset verify"}},
	} {
		code, stdout, stderr := outputOf(env, append([]string{"rootkey", "create", "--name", "x"}, test.args...)...)
		require.Equal(t, exitUsage, code, test.args)
		require.Empty(t, stdout)
		for _, says := range test.says {
			require.Contains(t, stderr, says)
		}
	}
}

func TestRootkeyCreate_Sends(t *testing.T) {
	var sent string
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"meta":{"requestId":"req_1"},"data":{"keyId":"key_1","key":"root_1","unknownPermissions":["new.*.thing"]}}`)
	}))
	defer node.Close()
	env := map[string]string{"CREDITD_ROOT_KEY": "root_test", "CREDITD_ADDR": node.URL}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--admin"}, `{"name":"x","preset":"admin"}`},
		{[]string{"--preset", "read-only", "--permission", "api.api_1.verify_key"}, `{"name":"x","preset":"read-only","permissions":["api.api_1.verify_key"]}`},
		{[]string{"--allow-unknown", "--permission", "new.*.thing"}, `{"name":"x","permissions":["new.*.thing"]}`},
	} {
		code, stdout, stderr := outputOf(env, append([]string{"rootkey", "create", "--name", "x"}, test.args...)...)
		require.Equal(t, exitDone, code, stderr)
		require.JSONEq(t, test.want, sent)
		require.Equal(t, "key id    key_1\nroot key  root_1\n", stdout)
		require.Contains(t, stderr, "grant nothing: new.*.thing")
	}
	_, stdout, _ := outputOf(env, "rootkey", "create", "--name", "x", "--preset", "verify", "-o", "json")
	var made createdRootKey
	require.NoError(t, json.Unmarshal([]byte(stdout), &made))
	require.Equal(t, createdRootKey{KeyID: "key_1", Key: "root_1", UnknownPermissions: []string{"new.*.thing"}}, made)
}

// Times for people carry their zone.
func TestMoment_NamesItsZone(t *testing.T) {
	require.Equal(t, "2025-11-28T07:20:42Z", moment(1764314442999))
	over := int64(0)
	require.Equal(t, "1970-01-01T00:00:00Z", expiry(&over), "an expiry is shown whenever it is in force")
	require.Equal(t, "never", expiry(nil))
}
