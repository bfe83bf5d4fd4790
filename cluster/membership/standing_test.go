package membership

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// A node counts once it has a vote and has caught up, and no longer when it loses its vote.
func TestStanding_Check(t *testing.T) {
	nonvoter := fixed{{ID: "a", Address: "a:1", Suffrage: raft.Nonvoter}, three[1]}
	s := &Standing{Base: Base{NodeID: "a", Directory: newDirectory(nonvoter)}}
	require.Equal(t, errNoVote, s.Check())
	s.caughtUp.Store(true)
	require.Equal(t, errNoVote, s.Check())
	s = &Standing{Base: Base{NodeID: "a", Directory: newDirectory(three)}}
	require.Equal(t, errBehind, s.Check())
	s.caughtUp.Store(true)
	require.NoError(t, s.Check())
}

// A leader of an earlier build gives the successor a vote and leaves its predecessor's where it is.
func TestStanding_WaitsForItsPredecessorToGo(t *testing.T) {
	predecessor := raft.Server{ID: "a0", Address: "a:1" + placeMark + "a0", Suffrage: raft.Voter}
	check := func(servers ...raft.Server) error {
		s := &Standing{Base: Base{NodeID: "a", PeerAddr: "a:1", Directory: newDirectory(servers)}}
		s.caughtUp.Store(true)
		return s.Check()
	}
	require.Equal(t, errPredecessor, check(three[0], three[1], predecessor))
	predecessor.Suffrage = raft.Nonvoter
	require.NoError(t, check(three[0], three[1], predecessor))
	require.NoError(t, check(three[0], three[1], raft.Server{ID: "b0", Address: "b:1" + placeMark + "b0", Suffrage: raft.Voter}), "another node's")
}
