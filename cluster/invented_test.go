package cluster_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/cluster/gossip/forge"
)

// inventedMeta is what a node of this build says about itself, at a peer address where nobody is.
func inventedMeta(peerAddr string) []byte {
	const version, noFlags, expectsNobody, minLedger, maxLedger, empty = 1, 0, 0, 1, 3, 0
	b := []byte{version, noFlags, expectsNobody, minLedger, maxLedger, empty, empty, byte(len(peerAddr))}
	return append(append(b, peerAddr...), empty, empty)
}

// memberships counts the nodes that a node lists, by what they are.
func memberships(t *testing.T, n *clustertest.Node) map[cluster.Membership]int {
	t.Helper()
	status, err := n.Status(t.Context())
	require.NoError(t, err)
	count := make(map[cluster.Membership]int)
	for _, s := range status.Nodes {
		count[s.Membership]++
	}
	return count
}

// Without a gossip key anybody can announce members. 300 of them became 300 non-voters for good. Now a member is added once the node at its
// peer address has answered with its id, and those that are invented do not keep a real one out.
func TestMembers_InventedOnesAreNotAdded(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, nil)
	c.WaitReady()
	leader := c.Nodes[c.Leader()]
	sender, err := net.Dial("udp", leader.Gossip)
	require.NoError(t, err)
	defer func() { require.NoError(t, sender.Close()) }()
	for i := range 100 {
		meta := inventedMeta(fmt.Sprintf("127.0.0.1:%d", i+1))
		if i%2 == 0 {
			meta = inventedMeta(leader.Peer) // somebody is there, and it is not the member
		}
		_, err := sender.Write(forge.WithLabel("creditd", forge.Alive(fmt.Sprintf("invented-%03d", i), []byte{127, 0, 0, 1}, 9, meta)))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return memberships(t, leader)[cluster.Joining] >= 50 }, 20*time.Second, 20*time.Millisecond)
	added := c.Nodes[c.Add()]
	require.Eventually(t, func() bool { return voters(t, leader.Node)[added.ID()] }, 60*time.Second, 50*time.Millisecond)
	now := memberships(t, leader)
	require.Zero(t, now[cluster.NonVoter])
	require.Equal(t, 4, now[cluster.Voter])
}

// A leader of an earlier build adds whatever gossip says. A non-voter that never answers is dropped, one that answers stays: the
// timeout is as long as a busy machine may take to answer.
func TestMembers_NonVotersThatNeverAnswerAreDropped(t *testing.T) {
	t.Parallel()
	c := clustertest.New(t, 3, func(conf *cluster.Config) {
		conf.StabilizationTime, conf.UnprovenTimeout = 2*time.Hour, 3*time.Second
	})
	c.WaitReady()
	silent, answers := c.Add(), c.Add()
	gone, stays := c.Nodes[silent].ID(), c.Nodes[answers].ID()
	first := c.Leader()
	require.Eventually(t, func() bool { return memberships(t, c.Nodes[first])[cluster.NonVoter] == 2 }, 20*time.Second, 20*time.Millisecond)
	c.StopAbruptly(silent)
	require.NoError(t, c.Nodes[first].TransferLeadership(t.Context(), ""))
	require.Eventually(t, func() bool {
		status, err := c.Nodes[first].Status(t.Context())
		require.NoError(t, err)
		is := make(map[string]cluster.Membership)
		for _, s := range status.Nodes {
			is[s.NodeID] = s.Membership
		}
		return is[gone] == cluster.Removed && (is[stays] == cluster.NonVoter || is[stays] == cluster.Voter)
	}, 30*time.Second, 20*time.Millisecond)
}
