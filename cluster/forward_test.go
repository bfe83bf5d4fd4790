package cluster_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// A leader executes what a node of its own cluster forwards as one command, with the caller's credentials in it. It refuses all other
// bytes, whoever sends them. A node that does not lead forwards nothing.
func TestForward_RefusesWhatIsNoCommandOfThisCluster(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	seed(t, c, 0, 100)
	leader, follower := c.Leader(), c.Follower()
	clusterID := ""
	status, err := c.Nodes[leader].Status(context.Background())
	require.NoError(t, err)
	clusterID = status.ClusterID
	tag := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(clusterID)))
	charge := fsm.Call{Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{1}, Cost: 1}}
	encoded := func(calls ...fsm.Call) []byte { return codec.AppendBatch(nil, fsm.Batch{Calls: calls}) }
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	first := []byte{0} // not a retransmission
	member := c.Nodes[follower].ID()
	send := func(to int, method byte, payload []byte) error {
		client := peer.NewClient(c.Nodes[to].Peer, peer.ClientConfig{Dialer: peer.Dialer{NodeID: member}})
		defer func() { require.NoError(t, client.Close()) }()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, err := client.Call(ctx, method, payload)
		return err
	}
	forward := func(to int, payload []byte) error { return send(to, 1, payload) }
	code := func(err error) byte {
		var refused *peer.CodeError
		require.ErrorAs(t, err, &refused)
		return refused.Code
	}

	const unavailable, foreign, malformed, unsupported = byte(1), byte(7), byte(8), byte(11) // as they travel
	raw := []byte("POST /v2/keys.verifyKey HTTP/1.1\r\n\r\n{}")
	for name, test := range map[string]struct {
		payload []byte
		want    byte
	}{
		"another cluster":     {join([]byte{1, 2, 3, 4}, first, encoded(charge)), foreign},
		"raw bytes":           {raw, foreign},
		"raw bytes with tag":  {join(tag, first, raw), malformed},
		"two commands":        {join(tag, first, encoded(charge, charge)), malformed},
		"more than a command": {join(tag, first, encoded(charge), []byte{0}), malformed},
		"a flipped bit":       {flipped(join(tag, first, encoded(charge))), malformed},
		"a new ledger":        {join(tag, first, encoded(fsm.Call{Command: &fsm.Bootstrap{ClusterID: "x"}})), malformed},
		"no flag":             {tag, malformed},
	} {
		require.Equal(t, test.want, code(forward(leader, test.payload)), name)
	}
	require.Equal(t, unavailable, code(forward(follower, join(tag, first, encoded(charge)))), "one hop")
	require.Equal(t, unsupported, code(send(leader, 200, raw)), "a request of a newer build")
	require.Equal(t, int64(100), remaining(t, c, follower))
	require.NoError(t, forward(leader, join(tag, first, encoded(charge))))
	require.Equal(t, int64(99), remaining(t, c, follower))

	member = "node_invented"
	require.Equal(t, unavailable, code(forward(leader, join(tag, first, encoded(charge)))), "not a member")
	require.Equal(t, int64(99), remaining(t, c, follower))

	member = c.Nodes[follower].ID()
	stranger := charge
	stranger.Actor = fsm.Hash{0xee}
	require.NoError(t, forward(leader, join(tag, first, encoded(stranger))), "the ledger refuses it")
	require.Equal(t, int64(99), remaining(t, c, follower))
}

func flipped(data []byte) []byte {
	data[len(data)-6] ^= 1
	return data
}

// A client learns as much from a follower as from the leader: what failed, why, and what to do.
func TestForward_AFollowerExplainsAsTheLeaderDoes(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, quickChecks)
	seed(t, c, 0, 1<<40)
	leader, follower := c.Leader(), c.Follower()
	explained := func(try func(at int) error) {
		t.Helper()
		var first, second *fault.Error
		require.ErrorAs(t, try(leader), &first)
		require.ErrorAs(t, try(follower), &second)
		require.Equal(t, first.Kind, second.Kind)
		require.Equal(t, first.Detail, second.Detail)
	}
	explained(func(at int) error { return c.Nodes[at].RemoveServer(t.Context(), "node_unknown", "a test") })
	explained(func(at int) error { return c.Nodes[at].TransferLeadership(t.Context(), "node_unknown") })
	for i := range c.Nodes {
		c.Fill(i, true)
	}
	require.Eventually(t, func() bool {
		_, err := charge(c, leader)
		all := err != nil
		for _, n := range c.Nodes {
			all = all && strings.Contains(err.Error(), n.ID())
		}
		return all
	}, 20*time.Second, time.Millisecond)
	explained(func(at int) error {
		_, err := charge(c, at)
		return err
	})
}
