package membership

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/gossip"
)

// One node of the own cluster is proof enough; a data directory without a cluster may join any.
func TestRefuseForeign(t *testing.T) {
	foreign := gossip.Member{ID: "x", Meta: gossip.Meta{ClusterID: "cl_2"}, Foreign: true, GossipAddr: "x:1"}
	self := gossip.Member{ID: "a", Meta: gossip.Meta{ClusterID: "cl_1"}, Self: true}
	own := gossip.Member{ID: "b", Meta: gossip.Meta{ClusterID: "cl_1"}}
	require.NoError(t, refuseForeign("", []gossip.Member{foreign}))
	require.NoError(t, refuseForeign("cl_1", []gossip.Member{self}))
	require.NoError(t, refuseForeign("cl_1", []gossip.Member{foreign, own}))
	err := refuseForeign("cl_1", []gossip.Member{self, foreign})
	require.ErrorContains(t, err, "cl_2")
	require.ErrorContains(t, err, "x:1")
}
