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
