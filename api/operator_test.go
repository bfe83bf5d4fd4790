package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
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
		`{"name":"x","permissions":["x"],"expires":-1}`, `{"name":"x","permissions":["x"],"y":1}`,
	} {
		s.post("rootKeys.createRootKey", body).fails(400, invalidInput)
	}
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
		ClusterID: "c", LeaderID: "n1", Term: 3, LedgerVersion: 2,
		Nodes: []api.NodeStatus{
			{NodeID: "n1", Role: "leader", Voter: true, Health: "alive", HTTPAddr: "h:1", PeerAddr: "h:2", GossipAddr: "h:3", Version: "v1",
				LedgerVersions: &api.LedgerVersions{Min: 1, Max: 2}, CommitIndex: 9, AppliedIndex: 8, Digest: &api.Digest{Index: 8, Value: "ab"}},
			{NodeID: "n2", Role: "unknown", Health: "failed"},
		},
	}
	require.JSONEq(t, `{"clusterId":"c","leaderId":"n1","term":3,"ledgerVersion":2,"nodes":[
		{"nodeId":"n1","role":"leader","voter":true,"health":"alive","httpAddr":"h:1","peerAddr":"h:2","gossipAddr":"h:3","version":"v1",
		 "ledgerVersions":{"min":1,"max":2},"commitIndex":9,"appliedIndex":8,"digest":{"index":8,"value":"ab"}},
		{"nodeId":"n2","role":"unknown","voter":false,"health":"failed","commitIndex":0,"appliedIndex":0}]}`, s.must("cluster.getStatus", `{}`))
	require.Empty(t, s.post("cluster.getStatus", `{}`).Header().Get("Creditd-Index"))
	s.status = api.Status{}
	require.JSONEq(t, `{"clusterId":"","term":0,"ledgerVersion":0,"nodes":[]}`, s.must("cluster.getStatus", `{}`))
	s.post("cluster.getStatus", `{"x":1}`).fails(400, invalidInput)
}

// An operator asks for the status above all when there is no leader; a node that lags behind must not say no on its own.
func TestGetStatus_NeedsNoLeader(t *testing.T) {
	s := newServer(t)
	s.hook = func(context.Context) error {
		if s.calls[len(s.calls)-1] == "Answer" {
			return fault.New(fault.Unavailable, "no leader")
		}
		return nil
	}
	s.must("cluster.getStatus", `{}`)
	require.Equal(t, []string{"AnswerStale", "Status"}, s.calls)
	s.as("nobody").post("cluster.getStatus", `{}`).fails(503, "unkey/application/service_unavailable")
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
	require.Equal(t, []string{"n2"}, s.moved)
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
