package cluster_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/membership"
	"github.com/creditd/creditd/cluster/secret"
)

// keyed returns settings of a cluster whose gossip has a key, with everything that it logs, and the key.
func keyed(t *testing.T) (tune func(*cluster.Config), said *record, key []byte) {
	t.Helper()
	shared, err := secret.Parse(secret.New())
	require.NoError(t, err)
	peers, err := shared.PeerTLS()
	require.NoError(t, err)
	said, key = &record{}, gossip.NewKey()
	return func(conf *cluster.Config) {
		conf.ServerTLS, conf.ClientTLS = peers, func() *tls.Config { return peers }
		conf.GossipKey, conf.Logger = key, slog.New(slog.NewTextHandler(said, nil))
	}, said, key
}

// change makes one step and returns the id of the key.
func change(t *testing.T, at *clustertest.Node, c membership.KeyChange) (id string, nodes []membership.NodeKeys) {
	t.Helper()
	c.By = "a test"
	id, nodes, err := at.ChangeGossipKeys(t.Context(), c)
	require.NoError(t, err)
	return id, nodes
}

func ringsAre(t *testing.T, at *clustertest.Node, keys ...string) {
	t.Helper()
	nodes := at.GossipKeys(t.Context())
	require.Len(t, nodes, 3)
	for _, n := range nodes {
		require.Empty(t, n.Failure, n.NodeID)
		require.Equal(t, keys, n.Keys, n.NodeID)
	}
}

func allAlive(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	for _, m := range c.Nodes {
		require.Eventually(t, func() bool {
			alive := 0
			status, err := m.Status(context.Background())
			require.NoError(t, err)
			for _, n := range status.Nodes {
				if n.Health == gossip.Alive.String() {
					alive++
				}
			}
			return alive == 3
		}, 30*time.Second, 10*time.Millisecond)
	}
}

// Through any node, in three steps, and back again: no node ever gets a message that it cannot read. A restart finds the keys again.
func TestGossipKeys_AreReplacedByCommands(t *testing.T) {
	t.Parallel()
	tune, said, first := keyed(t)
	c := clustertest.New(t, 3, tune)
	old := gossip.KeyID(first)
	restart := func(keys ...string) { // what joins sends and reads with the keys that it has kept
		i := c.Follower()
		c.Stop(i)
		c.Start(i)
		c.WaitReady()
		allAlive(t, c)
		ringsAre(t, c.Nodes[i], keys...)
	}
	for round := range 2 {
		at := c.Nodes[round]
		added, nodes := change(t, at, membership.KeyChange{Action: membership.AddKey})
		for _, n := range nodes {
			require.True(t, n.Changed)
		}
		restart(old, added)
		_, nodes = change(t, at, membership.KeyChange{Action: membership.AddKey, ID: added})
		for _, n := range nodes {
			require.False(t, n.Changed, "it has the key")
		}
		change(t, at, membership.KeyChange{Action: membership.UseKey, ID: added})
		restart(added, old)
		change(t, at, membership.KeyChange{Action: membership.RemoveKey, ID: old})
		restart(added)
		old = added
	}
	require.Equal(t, []string{gossip.KeyID(first)}, c.Nodes[0].GossipKeys(t.Context())[0].Settings)
	for _, cannot := range []string{"could decrypt", "gossip refused"} {
		require.Empty(t, said.with(cannot))
	}
	info, err := os.Stat(filepath.Join(c.Dir(0), "gossip-keys.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.NotEmpty(t, said.with("the gossip keys were changed"))
	require.Empty(t, said.with(base64.StdEncoding.EncodeToString(first)), "a key is logged")
}

// A node that is down is named. By force the others go on; it gets the keys again, although gossip does not reach it.
func TestGossipKeys_ANodeThatWasDown(t *testing.T) {
	t.Parallel()
	tune, _, first := keyed(t)
	c := clustertest.New(t, 3, tune)
	down := c.Follower()
	id := c.Nodes[down].ID()
	c.StopAbruptly(down)
	at := c.Nodes[c.Leader()]
	old, given := gossip.KeyID(first), gossip.NewKey()
	added, nodes := change(t, at, membership.KeyChange{Action: membership.AddKey, Key: given})
	require.Equal(t, gossip.KeyID(given), added)
	for _, n := range nodes {
		require.Equal(t, n.NodeID == id, n.Failure != "", n)
	}
	for _, action := range []membership.KeyAction{membership.UseKey, membership.RemoveKey} {
		named := map[membership.KeyAction]string{membership.UseKey: added, membership.RemoveKey: old}[action]
		_, _, err := at.ChangeGossipKeys(t.Context(), membership.KeyChange{Action: action, ID: named})
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		require.ErrorContains(t, err, map[membership.KeyAction]string{membership.UseKey: id, membership.RemoveKey: id}[action])
		change(t, at, membership.KeyChange{Action: action, ID: named, Force: true})
	}
	c.Start(down)
	c.WaitReady() // raft reaches it
	_, _, err := c.Nodes[down].ChangeGossipKeys(t.Context(), membership.KeyChange{Action: membership.UseKey, ID: added})
	require.ErrorContains(t, err, id+" could not read the others")
	change(t, c.Nodes[down], membership.KeyChange{Action: membership.AddKey, ID: added})
	change(t, c.Nodes[down], membership.KeyChange{Action: membership.UseKey, ID: added})
	change(t, c.Nodes[down], membership.KeyChange{Action: membership.RemoveKey, ID: old})
	ringsAre(t, c.Nodes[down], added)
	allAlive(t, c)
}

// Settings that change count more than the ring of the data directory; settings that stay do not.
func TestGossipKeys_ChangedSettingsCount(t *testing.T) {
	t.Parallel()
	tune, _, first := keyed(t)
	c := clustertest.New(t, 3, tune)
	at := c.Nodes[0]
	added, _ := change(t, at, membership.KeyChange{Action: membership.AddKey})
	change(t, at, membership.KeyChange{Action: membership.UseKey, ID: added})
	third := gossip.NewKey()
	require.NoError(t, c.Nodes[1].SetGossipKeys([][]byte{first, third}))
	last := c.Nodes[1].ID()
	rings := func() map[string][]string {
		rings := map[string][]string{}
		for _, n := range c.Nodes[1].GossipKeys(t.Context()) {
			require.Empty(t, n.Failure)
			rings[n.NodeID] = n.Keys
		}
		return rings
	}
	require.Equal(t, gossip.KeyIDs([][]byte{first, third}), rings()[last])

	c.Stop(1)
	c.Tune(func(conf *cluster.Config) { conf.GossipKey, conf.GossipOtherKeys = third, [][]byte{first} })
	c.Start(1)
	c.WaitReady()
	require.Equal(t, gossip.KeyIDs([][]byte{third, first}), rings()[last], "they changed while it was down")
	c.Stop(1)
	c.Start(1)
	c.WaitReady()
	require.Equal(t, gossip.KeyIDs([][]byte{third, first}), rings()[last])
}

// No key travels where others can read it, and gossip that is not encrypted has none.
func TestGossipKeys_NeedProtectedConnections(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tune func(*cluster.Config)
		says string
	}{
		"open peer port": {func(conf *cluster.Config) { conf.GossipKey = bytes.Repeat([]byte{1}, gossip.KeyBytes) }, "neither the cluster secret nor certificates"},
		"open gossip": {func(conf *cluster.Config) {
			keyed, _, _ := keyed(t)
			keyed(conf)
			conf.GossipKey = nil
		}, "Gossip is not encrypted"},
	} {
		t.Run(name, func(t *testing.T) {
			c := clustertest.New(t, 1, test.tune)
			_, _, err := c.Nodes[0].ChangeGossipKeys(t.Context(), membership.KeyChange{Action: membership.AddKey})
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.ErrorContains(t, err, test.says)
		})
	}
}
