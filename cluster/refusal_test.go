package cluster_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// Who may change nothing must not fill the log: a refusal is decided by the leader's ledger, like a read, before anything is proposed.
func TestRefusal_LeavesTheLogAsItWas(t *testing.T) {
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 5)
	nobody := fsm.Hash{99}
	require.IsType(t, &fsm.Created{}, c.Do(0, &fsm.CreateRootKey{ID: "key_nobody", Hash: nobody, Name: "nobody", Expires: fsm.Never}))
	leader, follower := c.Leader(), c.Follower()
	before := c.Nodes[leader].Proposed()
	const refused = 100
	for n := range refused {
		command := &fsm.CreateKey{
			ID: "key_large", Hash: fsm.Hash{7}, APIID: []string{"api_1", "api_none"}[n%2], Meta: strings.Repeat("x", 10<<20), Expires: fsm.Never,
		}
		call := fsm.Call{Actor: nobody, Command: command, Origin: &fsm.Origin{RequestID: "req_1"}}
		if n%3 == 0 { // a refusal leaves no record
			call.Idempotency = &fsm.Idempotency{Key: fsm.ShortHash{1}}
		}
		at := leader
		if n%10 == 0 {
			at = follower
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		r, index, err := c.Nodes[at].Execute(ctx, call)
		cancel()
		require.NoError(t, err)
		require.Equal(t, &fsm.Refusal{Code: fsm.APINotFound}, r)
		require.NotZero(t, index)
	}
	after := c.Nodes[leader].Proposed()
	require.Less(t, after.Bytes-before.Bytes, uint64(refused*1024), "each refusal is confirmed by an empty entry at most")

	// What was answered anywhere binds at once: the same command is executed as soon as its API exists.
	for n := range 20 {
		api := "api_new" + string(rune('a'+n))
		require.IsType(t, &fsm.Created{}, c.Do(n%3, &fsm.CreateAPI{ID: api, KeyspaceID: "ks_" + api, Name: "new"}))
		require.IsType(t, &fsm.Created{}, c.Do((n+1)%3, &fsm.CreateKey{ID: "key_" + api, Hash: fsm.Hash{8, byte(n)}, APIID: api, Expires: fsm.Never}))
	}
}
