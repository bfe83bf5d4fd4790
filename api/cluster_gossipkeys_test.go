package api_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/cluster/fault"
)

// cluster.getGossipKeys: docs/contract.md 7.2.
func TestGetGossipKeys(t *testing.T) {
	s := newServer(t)
	require.JSONEq(t, `{"nodes":[]}`, s.must("cluster.getGossipKeys", `{}`))
	s.gossipKeys = []api.NodeGossipKeys{
		{NodeID: "n1", Name: "one", Keys: []string{"0a1b2c3d", "ffffffff"}, Settings: []string{"0a1b2c3d"}}, {NodeID: "n2", Failure: "it does not answer"},
	}
	require.JSONEq(t, `{"nodes":[{"nodeId":"n1","name":"one","keys":["0a1b2c3d","ffffffff"],"settings":["0a1b2c3d"]},
		{"nodeId":"n2","keys":[],"settings":[],"failure":"it does not answer"}]}`, s.must("cluster.getGossipKeys", `{}`))
	s.grant("cluster.*.read").must("cluster.getGossipKeys", `{}`)
	s.grant("cluster.*.operate").post("cluster.getGossipKeys", `{}`).fails(403, forbidden)
}

// cluster.changeGossipKeys: docs/contract.md 7.2.
func TestChangeGossipKeys(t *testing.T) {
	s := newServer(t)
	require.JSONEq(t, `{"keyId":"0a1b2c3d","nodes":[]}`, s.must("cluster.changeGossipKeys", `{"action":"add"}`))
	s.must("cluster.changeGossipKeys", `{"action":"add","keyId":"0a1b2c3d"}`)
	s.must("cluster.changeGossipKeys", `{"action":"use","keyId":"0a1b2c3d","force":true}`)
	require.Len(t, s.keyChanges, 3)
	require.Regexp(t, `^root key key_root \(\w+\) from 192\.0\.2\.1$`, s.keyChanges[0].By)
	for i := range s.keyChanges {
		s.keyChanges[i].By = ""
	}
	require.Equal(t, []api.GossipKeyChange{{Action: "add"}, {Action: "add", KeyID: "0a1b2c3d"}, {Action: "use", KeyID: "0a1b2c3d", Force: true}}, s.keyChanges)

	for _, body := range []string{`{}`, `{"action":"rotate"}`, `{"action":"use"}`, `{"action":"remove"}`, `{"action":"add","keyId":"x"}`, `{"action":"add","x":1}`} {
		s.post("cluster.changeGossipKeys", body).fails(400, invalidInput)
	}
	s.grant("cluster.*.read").post("cluster.changeGossipKeys", `{"action":"add"}`).fails(403, forbidden)
	require.Len(t, s.keyChanges, 3)

	s.hook = func(context.Context) error {
		if s.calls[len(s.calls)-1] == "ChangeGossipKeys" {
			return fault.New(fault.Invalid, "Nothing was changed: n2 could not read the others")
		}
		return nil
	}
	re := s.post("cluster.changeGossipKeys", `{"action":"use","keyId":"0a1b2c3d"}`).fails(400, invalidInput)
	require.Contains(t, re.Error.Detail, "n2 could not read the others")
}

// A key that an operator gives travels over TLS or inside of the machine, and no answer repeats it.
func TestChangeGossipKeys_TakesNoKeyInTheClear(t *testing.T) {
	s := newServer(t)
	key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	body := `{"action":"add","key":"` + key + `"}`
	re := s.post("cluster.changeGossipKeys", body).fails(400, invalidInput)
	require.Contains(t, re.Error.Detail, "in the clear")
	require.NotContains(t, re.text, key)
	require.Empty(t, s.keyChanges)

	local := func(body string) *reply {
		r := s.request("cluster.changeGossipKeys", body)
		r.RemoteAddr = "127.0.0.1:5"
		return s.do(r)
	}
	local(body).ok()
	require.Equal(t, strings.Repeat("k", 32), string(s.keyChanges[0].Key))
	for _, bad := range []string{
		`{"action":"use","keyId":"0a1b2c3d","key":"` + key + `"}`, `{"action":"add","keyId":"0a1b2c3d","key":"` + key + `"}`,
		`{"action":"add","key":"` + strings.Repeat("!", 44) + `"}`, `{"action":"add","key":"` + key[:43] + `"}`,
	} {
		re := local(bad).fails(400, invalidInput)
		require.NotContains(t, re.text, key[:43])
	}
	require.Len(t, s.keyChanges, 1)
}
