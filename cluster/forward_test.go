package cluster_test

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/peer"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// A leader carries out what a node of its own cluster forwards as one decoded command, with the caller's credentials in it. Bytes that are
// anything else are refused, whoever sends them; and a node that does not lead passes nothing on.
func TestForward_RefusesWhatIsNoCommandOfThisCluster(t *testing.T) {
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
	once := []byte{0}
	forward := func(to int, payload []byte) error {
		client := peer.NewClient(c.Nodes[to].Peer, peer.ClientConfig{})
		defer func() { require.NoError(t, client.Close()) }()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		_, err := client.Call(ctx, cluster.MethodExecute, payload)
		return err
	}
	code := func(err error) byte {
		var refused *peer.CodeError
		require.ErrorAs(t, err, &refused)
		return refused.Code
	}

	raw := []byte("POST /v2/keys.verifyKey HTTP/1.1\r\n\r\n{}")
	for name, test := range map[string]struct {
		payload []byte
		want    byte
	}{
		"another cluster":     {join([]byte{1, 2, 3, 4}, once, encoded(charge)), cluster.CodeForeign},
		"raw bytes":           {raw, cluster.CodeForeign},
		"raw bytes with tag":  {join(tag, once, raw), cluster.CodeMalformed},
		"two commands":        {join(tag, once, encoded(charge, charge)), cluster.CodeMalformed},
		"more than a command": {join(tag, once, encoded(charge), []byte{0}), cluster.CodeMalformed},
		"a flipped bit":       {flipped(join(tag, once, encoded(charge))), cluster.CodeMalformed},
		"a new ledger":        {join(tag, once, encoded(fsm.Call{Command: &fsm.Bootstrap{ClusterID: "x"}})), cluster.CodeMalformed},
		"no hint":             {tag, cluster.CodeMalformed},
	} {
		require.Equal(t, test.want, code(forward(leader, test.payload)), name)
	}
	require.Equal(t, cluster.CodeUnavailable, code(forward(follower, join(tag, once, encoded(charge)))), "one hop")
	require.Equal(t, int64(100), remaining(t, c, follower))
	require.NoError(t, forward(leader, join(tag, once, encoded(charge))))
	require.Equal(t, int64(99), remaining(t, c, follower))

	stranger := charge
	stranger.Actor = fsm.Hash{0xee}
	require.NoError(t, forward(leader, join(tag, once, encoded(stranger))), "the ledger refuses it")
	require.Equal(t, int64(99), remaining(t, c, follower))
}

func flipped(data []byte) []byte {
	data[len(data)-6] ^= 1
	return data
}
