package membership

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/gossip"
)

func gossipKey(b byte) []byte { return bytes.Repeat([]byte{b}, gossip.KeyBytes) }

func keyIDs(bs ...byte) (ids []string) {
	for _, b := range bs {
		ids = append(ids, gossip.KeyID(gossipKey(b)))
	}
	return ids
}

// A step that would split the cluster is refused before any node has done it, and says which nodes it would cut off.
func TestKeyChange_RefusesWhatSplitsTheCluster(t *testing.T) {
	has := func(id string, keys ...byte) NodeKeys { return NodeKeys{NodeID: id, Ring: Ring{Keys: keyIDs(keys...)}} }
	down := NodeKeys{NodeID: "c", Failure: "it does not answer"}
	for name, test := range map[string]struct {
		action KeyAction
		key    byte
		force  bool
		nodes  []NodeKeys
		want   string // "": allowed
	}{
		"a new key":                              {AddKey, 2, false, []NodeKeys{has("a", 1), has("b", 1)}, ""},
		"a new key while a node is down":         {AddKey, 2, false, []NodeKeys{has("a", 1), down}, ""},
		"a fifth key":                            {AddKey, 5, true, []NodeKeys{has("a", 1, 5), has("b", 1, 2, 3, 4)}, "b would have more than 4"},
		"a key where gossip is not encrypted":    {AddKey, 2, true, []NodeKeys{has("a"), has("b")}, "restart of all nodes"},
		"a key where one is not encrypted":       {AddKey, 2, true, []NodeKeys{has("a", 1), has("b")}, "not encrypted at b"},
		"a key that everybody has":               {UseKey, 2, false, []NodeKeys{has("a", 1, 2), has("b", 1, 2)}, ""},
		"a key that one does not have":           {UseKey, 2, true, []NodeKeys{has("a", 1, 2), has("b", 1)}, "b could not read the others"},
		"a key that nobody has":                  {UseKey, 3, true, []NodeKeys{has("a", 1, 2), down}, "no node that answers has"},
		"a key while a node is down":             {UseKey, 2, false, []NodeKeys{has("a", 1, 2), down}, "c (it does not answer)"},
		"a key while a node is down, by force":   {UseKey, 2, true, []NodeKeys{has("a", 1, 2), down}, ""},
		"an old key goes":                        {RemoveKey, 1, false, []NodeKeys{has("a", 2, 1), has("b", 2, 1)}, ""},
		"an old key goes where it still is":      {RemoveKey, 1, false, []NodeKeys{has("a", 2), has("b", 2, 1)}, ""},
		"a key that one encrypts with":           {RemoveKey, 1, true, []NodeKeys{has("a", 2, 1), has("b", 1, 2)}, "b encrypts with"},
		"the only key":                           {RemoveKey, 1, true, []NodeKeys{has("a", 1), has("b", 1)}, "a, b encrypts with"},
		"an old key while a node is down":        {RemoveKey, 1, false, []NodeKeys{has("a", 2, 1), down}, "c (it does not answer)"},
		"an old key, a node is down, by force":   {RemoveKey, 1, true, []NodeKeys{has("a", 2, 1), down}, ""},
		"a key that is nowhere cannot be remove": {RemoveKey, 7, true, []NodeKeys{has("a", 2, 1)}, "no node that answers has"},
	} {
		err := KeyChange{Action: test.action, ID: keyIDs(test.key)[0], Force: test.force}.allowed(test.nodes)
		if test.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.ErrorContains(t, err, test.want, name)
	}
}

// Each node checks for itself, whatever the leader found.
func TestKeyChange_OfOneNode(t *testing.T) {
	one, two, three := gossipKey(1), gossipKey(2), gossipKey(3)
	ring := [][]byte{one, two}
	for name, test := range map[string]struct {
		change KeyChange
		keys   [][]byte
		want   []string
		says   string
	}{
		"adds":                 {KeyChange{Action: AddKey, Key: three, ID: gossip.KeyID(three)}, ring, keyIDs(1, 2, 3), ""},
		"adds once":            {KeyChange{Action: AddKey, Key: two, ID: gossip.KeyID(two)}, ring, keyIDs(1, 2), ""},
		"adds no short key":    {KeyChange{Action: AddKey, Key: three[:16], ID: gossip.KeyID(three[:16])}, ring, nil, "32 bytes"},
		"adds what was named":  {KeyChange{Action: AddKey, Key: three, ID: keyIDs(4)[0]}, ring, nil, "32 bytes"},
		"adds no fifth key":    {KeyChange{Action: AddKey, Key: three, ID: gossip.KeyID(three)}, [][]byte{one, two, gossipKey(4), gossipKey(5)}, nil, "the most"},
		"uses":                 {KeyChange{Action: UseKey, ID: gossip.KeyID(two)}, ring, keyIDs(2, 1), ""},
		"uses none it lacks":   {KeyChange{Action: UseKey, ID: gossip.KeyID(three)}, ring, nil, "has no gossip key"},
		"removes":              {KeyChange{Action: RemoveKey, ID: gossip.KeyID(two)}, ring, keyIDs(1), ""},
		"removes what is gone": {KeyChange{Action: RemoveKey, ID: gossip.KeyID(three)}, ring, keyIDs(1, 2), ""},
		"keeps its first":      {KeyChange{Action: RemoveKey, ID: gossip.KeyID(one)}, ring, nil, "encrypts with"},
		"knows no other":       {KeyChange{Action: "rotate", ID: gossip.KeyID(one)}, ring, nil, "Unknown action"},
	} {
		after, err := test.change.apply(test.keys)
		if test.says != "" {
			require.ErrorContains(t, err, test.says, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.want, gossip.KeyIDs(after), name)
	}
	require.Equal(t, keyIDs(1, 2), gossip.KeyIDs(ring), "what was given stays as it is")
}
