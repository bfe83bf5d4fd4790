package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

var root = fsm.Hash{1}

func newLedger(t testing.TB) *fsm.State {
	t.Helper()
	s := fsm.New()
	apply(t, s, &fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", WorkspaceName: "default", RootKeyID: "key_root", RootKeyHash: root})
	apply(t, s, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"})
	return s
}

func apply(t testing.TB, s *fsm.State, c fsm.Command) fsm.Result {
	t.Helper()
	r := s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: root, Command: c}}})[0]
	require.NoError(t, s.Audit())
	return r
}

// An identity's pool is spent by all its keys until it is empty, and never beyond: contract 3.4 and 4.8.
func TestVerify_SpendsTheIdentityThroughEachOfItsKeys(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateIdentity{ID: "id_1", ExternalID: "alice", Credits: fsm.NewCredits{Limited: true, Remaining: 5}})
	apply(t, s, &fsm.CreateKey{ID: "key_a", Hash: fsm.Hash{2}, APIID: "api_1", ExternalID: "alice", Enabled: true, Expires: fsm.Never})
	apply(t, s, &fsm.CreateKey{ID: "key_b", Hash: fsm.Hash{3}, APIID: "api_1", ExternalID: "alice", Enabled: true, Expires: fsm.Never})
	for i := range 7 {
		v := apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{byte(2 + i%2)}, Cost: 1}).(*fsm.Verdict)
		want, outcome := int64(4-i), fsm.Valid
		if i >= 5 {
			want, outcome = 0, fsm.UsageExceeded
		}
		require.Equal(t, want, v.Credits)
		require.Equal(t, outcome, v.Outcome)
	}
}
