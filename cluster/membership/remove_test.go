package membership

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
)

// A removal must not cost the cluster its quorum: what is left has to be able to go on.
func TestRemoval_KeepsAQuorum(t *testing.T) {
	withNonvoter := append(fixed{{ID: "n", Address: "n:1", Suffrage: raft.Nonvoter}}, three...)
	alive, failed := member("b", "b:1", gossip.Alive), member("b", "b:1", gossip.Failed)
	for name, test := range map[string]struct {
		servers fixed
		members []gossip.Member
		remove  string
		want    string // "": allowed
	}{
		"a node that is down":             {three, []gossip.Member{alive}, "c", ""},
		"a node that is up":               {three, []gossip.Member{alive, member("c", "c:1", gossip.Alive)}, "c", ""},
		"one while another one is down":   {three, []gossip.Member{failed, member("c", "c:1", gossip.Alive)}, "c", "no quorum: without c, 1 of 2 voters would be up (down: b)"},
		"a non-voter, whatever is down":   {withNonvoter, []gossip.Member{failed}, "n", ""},
		"the last voter":                  {three[:1], nil, "a", "last voter"},
		"one of two, when the other left": {three[:2], []gossip.Member{alive}, "b", ""},
		"a node that is not there":        {three, nil, "x", "not part of this cluster: x"},
	} {
		r := &Removal{Base: Base{NodeID: "a", Directory: newDirectory(test.servers, test.members...)}, Departures: &Departures{}}
		err := r.allowed(test.servers, test.remove)
		if test.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.ErrorContains(t, err, test.want, name)
	}
}
