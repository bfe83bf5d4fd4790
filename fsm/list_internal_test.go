package fsm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// An identity outlives any number of APIs. What is deleted leaves no list of keys with it.
func TestIdentity_HasListsOfKeysThatExist(t *testing.T) {
	s := New()
	root := Hash{1}
	do := func(c Command) {
		t.Helper()
		r := s.Apply(Batch{Stamp: s.clock + 1, Calls: []Call{{Actor: root, Command: c}}})[0]
		_, refused := r.(*Refusal)
		require.False(t, refused, "%+v", r)
	}
	do(&RaiseLedgerVersion{Version: fourthRules, Build: "v1.4.0"})
	do(&Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_root", RootKeyHash: root})
	do(&CreateIdentity{ID: "id_1", ExternalID: "u"})
	for i := range 30 {
		do(&CreateAPI{ID: fmt.Sprint("api_", i), KeyspaceID: fmt.Sprint("ks_", i), Name: "n"})
		do(&CreateKey{ID: fmt.Sprint("key_", i), Hash: Hash{2, byte(i)}, APIID: fmt.Sprint("api_", i), Enabled: true, Expires: Never, ExternalID: "u"})
	}
	require.Len(t, s.identities.find("id_1").keys, 30)
	for i := range 30 {
		switch i % 3 {
		case 0:
			do(&DeleteKey{KeyID: fmt.Sprint("key_", i)})
		case 1:
			do(&UpdateKey{KeyID: fmt.Sprint("key_", i), ExternalID: Clear[string]()})
		}
		do(&DeleteAPI{APIID: fmt.Sprint("api_", i)})
	}
	s.Apply(Batch{Stamp: s.clock + 1})
	s.Apply(Batch{Stamp: s.clock + 1})
	require.Empty(t, s.apis)
	require.Empty(t, s.identities.find("id_1").keys)
}
