package store_test

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// Servers is how a node learns before raft runs whether it has other nodes: the last entry counts, then the snapshot.
func TestServers_AreThoseOfTheLastConfiguration(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	servers, err := s.Servers()
	require.NoError(t, err)
	require.Empty(t, servers)

	two := raft.Configuration{Servers: append([]raft.Server{{ID: "node_b", Address: "b:1"}}, testConfiguration.Servers...)}
	require.NoError(t, s.Log().StoreLogs([]*raft.Log{
		{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(two)},
		{Index: 2, Term: 1, Type: raft.LogNoop},
	}))
	servers, err = s.Servers()
	require.NoError(t, err)
	require.Equal(t, two.Servers, servers)

	snapshot(t, s, 2, map[string]string{"a": "1"})
	servers, err = s.Servers()
	require.NoError(t, err)
	require.Equal(t, testConfiguration.Servers, servers, "the snapshot is newer than the entry")

	require.NoError(t, s.Log().StoreLogs([]*raft.Log{{Index: 3, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(two)}}))
	servers, err = s.Servers()
	require.NoError(t, err)
	require.Equal(t, two.Servers, servers)
}
