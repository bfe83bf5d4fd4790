package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// rootKeys.createRootKey: docs/contract.md 7.2.
func TestCreateRootKey(t *testing.T) {
	s := newServer(t)
	re := s.post("rootKeys.createRootKey", `{"name":"ci","permissions":["api.*.create_api","made.up.string"]}`)
	require.Regexp(t, `^key_[a-zA-Z0-9]{16}$`, re.field("keyId"))
	s.as(re.field("key")).must("apis.createApi", `{"name":"abc"}`)
	s.as(re.field("key")).post("rootKeys.createRootKey", `{"name":"ci","permissions":["x"]}`).fails(403, forbidden)

	workspaceID := s.get("workspaceId", "workspaces.createWorkspace", `{"name":"other"}`)
	require.Regexp(t, `^ws_[a-zA-Z0-9]{16}$`, workspaceID)
	other := s.as(s.get("key", "rootKeys.createRootKey", fmt.Sprintf(`{"name":"x","permissions":["api.*.read_api","api.*.create_api"],"workspaceId":%q}`, workspaceID)))
	apiID := s.get("apiId", "apis.createApi", `{"name":"abc"}`)
	other.post("apis.getApi", fmt.Sprintf(`{"apiId":%q}`, apiID)).fails(404, apiNotFound)
	s.post("rootKeys.createRootKey", `{"name":"x","permissions":["x"],"workspaceId":"ws_nothing"}`).fails(404, "unkey/data/workspace_not_found")

	for _, body := range []string{
		`{}`, `{"name":"x"}`, `{"name":"","permissions":["x"]}`, `{"name":"x","permissions":[]}`, `{"name":"x","permissions":[""]}`,
		`{"name":"x","permissions":["x"],"expires":-1}`, `{"name":"x","permissions":["x"],"y":1}`, `{"name":"x","preset":"everything"}`,
	} {
		s.post("rootKeys.createRootKey", body).fails(400, invalidInput)
	}
	s.as("nobody").post("rootKeys.createRootKey", `{"name":"x"}`).fails(401, unauthorized)
	s.as(re.field("key")).post("rootKeys.createRootKey", `{"name":"x"}`).fails(403, forbidden)
}

// A string that grants nothing is stored, and the answer says so [D-24].
func TestCreateRootKey_ListsUnknownPermissions(t *testing.T) {
	s := newServer(t)
	unknown := func(body string, headers ...string) (list []string) {
		var data struct{ UnknownPermissions []string }
		re := s.post("rootKeys.createRootKey", body, headers...)
		require.NoError(t, json.Unmarshal(re.Data, &data))
		return data.UnknownPermissions
	}
	typos := `{"name":"x","permissions":["*","api.*.verify-key","api.*.verify_key","api.api_1.verify_key","api..verify_key","api.api_1.create_api"]}`
	want := []string{"*", "api.*.verify-key", "api..verify_key", "api.api_1.create_api"}
	require.Equal(t, want, unknown(typos))
	require.Equal(t, want, unknown(typos, "Idempotency-Key", "k"))
	require.Equal(t, want, unknown(typos, "Idempotency-Key", "k"), "a replay lists them again")
	require.NotContains(t, s.must("rootKeys.createRootKey", `{"name":"x","permissions":["api.*.verify_key"]}`), "unknownPermissions")
}

// TestCreateRootKey_Presets: the key holds what the preset stands for, beside the permissions of the request.
func TestCreateRootKey_Presets(t *testing.T) {
	s := newServer(t)
	granted := func(body string) []string {
		keyID := s.get("keyId", "rootKeys.createRootKey", body)
		var all []struct {
			KeyID       string
			Permissions []string
		}
		require.NoError(t, json.Unmarshal([]byte(s.must("rootKeys.listRootKeys", `{}`)), &all))
		for _, each := range all {
			if each.KeyID == keyID {
				return each.Permissions
			}
		}
		return nil
	}
	require.Equal(t, []string{"admin", "manage-keys", "read-only", "verify"}, fsm.PresetNames())
	for _, name := range fsm.PresetNames() {
		body := fmt.Sprintf(`{"name":"x","preset":%q}`, name)
		require.ElementsMatch(t, fsm.PresetPermissions(name), granted(body), name)
		require.NotContains(t, s.must("rootKeys.createRootKey", body), "unknownPermissions", name)
	}
	require.Equal(t, fsm.AllPermissions(), fsm.PresetPermissions("admin"))
	require.ElementsMatch(t, []string{"api.*.verify_key", "api.*.create_api"},
		granted(`{"name":"x","preset":"verify","permissions":["api.*.create_api","api.*.verify_key"]}`))
	require.Empty(t, fsm.PresetPermissions("everything"))
}

// The table of presets in docs/contract.md 1.12 lists what the presets hold.
func TestPresets_AreThoseOfTheContract(t *testing.T) {
	text, err := os.ReadFile("../docs/contract.md")
	require.NoError(t, err)
	for _, name := range fsm.PresetNames() {
		row := regexp.MustCompile("(?m)^\\| `" + name + "` \\| (.*) \\|$").FindSubmatch(text)
		require.NotNil(t, row, name)
		if name == "admin" {
			require.Contains(t, string(row[1]), "all strings")
			continue
		}
		var want []string
		for group := range strings.SplitSeq(string(row[1]), "; ") {
			resource, actions, _ := strings.Cut(group, ": ")
			for action := range strings.SplitSeq(actions, ", ") {
				want = append(want, resource+".*."+strings.Trim(action, "`"))
			}
		}
		require.ElementsMatch(t, want, fsm.PresetPermissions(name), name)
	}
}

// Whether a permission string is known, and for which ids, follows from what endpoints accept.
func TestKnownPermission_IsWhatEndpointsAccept(t *testing.T) {
	accepted := map[string]bool{}
	for _, e := range api.Describe() {
		for _, n := range e.Needs {
			for _, p := range n.Accepted {
				require.True(t, fsm.KnownPermission(p), p)
				accepted[p] = true
			}
		}
	}
	unasked := []string{ // by name in the upstream API, or only in a case that the descriptions tell in words
		"api.*.update_api", "api.*.encrypt_key", "rbac.*.remove_role_from_key",
	}
	for _, p := range fsm.AllPermissions() {
		require.True(t, fsm.KnownPermission(p), p)
		forOne := fsm.KnownPermission(fsm.RootPermission(p).For("x_1"))
		switch {
		case slices.Contains(unasked, p):
			require.False(t, accepted[p], p)
			require.Equal(t, strings.HasPrefix(p, "api."), forOne, p)
		default:
			require.True(t, accepted[p], p)
			require.Equal(t, acceptedForOne(accepted, p), forOne, p)
		}
	}
}

func acceptedForOne(accepted map[string]bool, p string) bool {
	before, after, _ := strings.Cut(p, "*")
	for text := range accepted {
		if strings.HasPrefix(text, before+"<") && strings.HasSuffix(text, ">"+after) {
			return true
		}
	}
	return false
}

// workspaces.createWorkspace: docs/contract.md 7.2.
func TestCreateWorkspace(t *testing.T) {
	s := newServer(t)
	for _, body := range []string{`{}`, `{"name":""}`, `{"name":"x","y":1}`} {
		s.post("workspaces.createWorkspace", body).fails(400, invalidInput)
	}
}

// cluster.getStatus: docs/contract.md 7.2.
func TestGetStatus(t *testing.T) {
	s := newServer(t)
	s.status = api.Status{
		NodeID: "n1", ClusterID: "c", LeaderID: "n1", Term: 3, LedgerVersion: 2,
		Nodes: []api.NodeStatus{
			{NodeID: "n1", Role: "leader", Voter: true, Membership: "voter", Health: "alive", HTTPAddr: "h:1", PeerAddr: "h:2", GossipAddr: "h:3", Version: "v1",
				LedgerVersions: &api.LedgerVersions{Min: 1, Max: 2}, CommitIndex: 9, AppliedIndex: 8, Digest: &api.Digest{Index: 8, Value: "ab"}},
			{NodeID: "n2", Role: "unknown", Membership: "replaced", ReplacedBy: "n1", LeftAt: 5, Health: "failed"},
			{NodeID: "n3", Role: "unknown", Membership: "removed", LeftAt: 6, RemovedBy: "root key k", Health: "left"},
		},
	}
	require.JSONEq(t, `{"nodeId":"n1","clusterId":"c","leaderId":"n1","stale":false,"term":3,"ledgerVersion":2,"nodes":[
		{"nodeId":"n1","role":"leader","voter":true,"membership":"voter","health":"alive","httpAddr":"h:1","peerAddr":"h:2","gossipAddr":"h:3","version":"v1",
		 "ledgerVersions":{"min":1,"max":2},"commitIndex":9,"appliedIndex":8,"digest":{"index":8,"value":"ab"}},
		{"nodeId":"n2","role":"unknown","voter":false,"membership":"replaced","replacedBy":"n1","leftAt":5,"health":"failed",
		 "commitIndex":0,"appliedIndex":0},
		{"nodeId":"n3","role":"unknown","voter":false,"membership":"removed","leftAt":6,"removedBy":"root key k","health":"left",
		 "commitIndex":0,"appliedIndex":0}]}`, s.must("cluster.getStatus", `{}`))
	require.Empty(t, s.post("cluster.getStatus", `{}`).Header().Get("Creditd-Index"))
	s.status = api.Status{}
	require.JSONEq(t, `{"nodeId":"","clusterId":"","stale":false,"term":0,"ledgerVersion":0,"nodes":[]}`, s.must("cluster.getStatus", `{}`))
	s.post("cluster.getStatus", `{"x":1}`).fails(400, invalidInput)
}

// An operator asks for the status above all when there is no leader, or when a node has just started. A node that lags behind must not say
// no on its own, and a node that cannot check a root key must not show it addresses.
func TestGetStatus_NeedsNoLeader(t *testing.T) {
	s := newServer(t, func(c *api.Config) { c.OperatorKey = mint.Hash("operator") })
	weak := s.grant("api.*.create_api")
	weak.post("cluster.getStatus", `{}`).fails(403, forbidden)
	s.settle() // from here on every node knows the key
	s.calls = nil
	s.status = api.Status{NodeID: "n1", Stale: true, Nodes: []api.NodeStatus{
		{NodeID: "n2", Role: "unknown", Voter: true, Membership: "voter", Health: "failed", HTTPAddr: "h:1", PeerAddr: "h:2", GossipAddr: "h:3"},
		{NodeID: "n3", Role: "unknown", Membership: "removed", LeftAt: 6, RemovedBy: "root key k", Health: "left"},
	}}
	s.hook = func(context.Context) error {
		if s.calls[len(s.calls)-1] == "Answer" {
			return fault.New(fault.Unavailable, "no leader")
		}
		return nil
	}
	whole := s.must("cluster.getStatus", `{}`)
	require.Contains(t, whole, `"stale":true`)
	require.Contains(t, whole, `"httpAddr":"h:1"`)
	require.Equal(t, []string{"AnswerStale", "Status"}, s.calls)
	require.JSONEq(t, whole, s.as("operator").must("cluster.getStatus", `{}`), "the node was started with this key")

	reduced := s.as("nobody").must("cluster.getStatus", `{}`)
	require.JSONEq(t, `{"nodeId":"n1","clusterId":"","stale":true,"reduced":true,"term":0,"ledgerVersion":0,"nodes":[
		{"nodeId":"n2","role":"unknown","voter":true,"membership":"voter","health":"failed","commitIndex":0,"appliedIndex":0},
		{"nodeId":"n3","role":"unknown","voter":false,"membership":"removed","leftAt":6,"health":"left","commitIndex":0,"appliedIndex":0}]}`, reduced)
	weak.post("cluster.getStatus", `{}`).fails(403, forbidden)

	// No read header makes the node ask only itself, or wait.
	for header, value := range map[string]string{"Creditd-Consistency": "stale", "Creditd-Min-Index": "999999"} {
		r := s.as("nobody").request("cluster.getStatus", `{}`)
		r.Header.Set(header, value)
		require.JSONEq(t, reduced, string(s.do(r).ok()), header)
	}
	// A ledger that does not know the key of the settings may have revoked it.
	s.status.Nodes = append(s.status.Nodes, api.NodeStatus{NodeID: "n1", AppliedIndex: 7})
	require.Contains(t, s.as("operator").must("cluster.getStatus", `{}`), `"reduced":true`)

	s.hook = nil
	s.as("nobody").post("cluster.getStatus", `{}`).fails(401, "unkey/authentication/key_not_found")
}

// cluster.transferLeadership: docs/contract.md 7.2.
func TestTransferLeadership(t *testing.T) {
	s := newServer(t)
	require.Equal(t, "{}", s.must("cluster.transferLeadership", `{}`))
	require.Equal(t, "{}", s.must("cluster.transferLeadership", `{"nodeId":"n2"}`))
	require.Equal(t, []string{"", "n2"}, s.moved)
	s.post("cluster.transferLeadership", `{"nodeId":""}`).fails(400, invalidInput)
	s.grant("cluster.*.read").post("cluster.transferLeadership", `{}`).fails(403, forbidden)
	require.Len(t, s.moved, 2)

	s.hook = func(context.Context) error {
		if s.calls[len(s.calls)-1] == "TransferLeadership" {
			return fault.New(fault.Unknown, "")
		}
		return nil
	}
	re := s.post("cluster.transferLeadership", `{}`).fails(408, "user/bad_request/request_timeout")
	require.Equal(t, "unknown", re.Header().Get("Creditd-Outcome"))
}

// cluster.removeServer: docs/contract.md 7.2.
func TestRemoveServer(t *testing.T) {
	s := newServer(t)
	require.Equal(t, "{}", s.must("cluster.removeServer", `{"nodeId":"n2"}`))
	require.Len(t, s.moved, 2)
	require.Equal(t, "n2", s.moved[0])
	require.Regexp(t, `^root key key_root \(\w+\) from 192\.0\.2\.1$`, s.moved[1])
	for _, body := range []string{`{}`, `{"nodeId":""}`, `{"nodeId":"n2","x":1}`} {
		s.post("cluster.removeServer", body).fails(400, invalidInput)
	}
	s.hook = func(context.Context) error {
		if s.calls[len(s.calls)-1] == "RemoveServer" {
			return fault.New(fault.Invalid, "")
		}
		return nil
	}
	s.post("cluster.removeServer", `{"nodeId":"n3"}`).fails(400, invalidInput)
}
