package membership

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// A node without gossip takes no configurations: what waits is bounded, and the newest stay.
func TestCommitted_IsBounded(t *testing.T) {
	var c Committed
	for i := range 3 * maxCommitted {
		c.Add(make([]raft.Server, i))
	}
	list := c.take()
	require.Len(t, list, maxCommitted)
	require.Len(t, list[maxCommitted-1], 3*maxCommitted-1)
	require.Empty(t, c.take())
}
