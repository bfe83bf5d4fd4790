package generation

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestID_TellsGenerationsApart(t *testing.T) {
	first := Parse("cluster_a")
	require.Equal(t, ID{"cluster_a", 1, ""}, first)
	require.Equal(t, "1", first.Generation())
	second, twin := first.Next(), first.Next()
	require.NotEqual(t, second, twin, "two survivors that are both recovered are two clusters")
	require.False(t, second.Succeeds(twin))
	require.True(t, second.Succeeds(first))
	require.False(t, first.Succeeds(second))
	third := Parse(second.String()).Next()
	require.EqualValues(t, 3, third.Number)
	require.True(t, third.Succeeds(twin))
	require.False(t, third.Succeeds(Parse("cluster_b")))
	require.False(t, Parse("").Next().Succeeds(Parse("")))
	for _, id := range []string{"", "cluster_a", "cl.x", "cl.1.abc", "cl.2", "cl.2.", second.String(), third.String()} {
		require.Equal(t, id, Parse(id).String())
	}
	require.Less(t, len(Parse("cluster_f8RWw2PoJ25TtYzB").Next().String()), 64, "what gossip carries")
}
