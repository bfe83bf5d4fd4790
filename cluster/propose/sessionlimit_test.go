package propose

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSessionLimit_BoundsEachNode(t *testing.T) {
	var l sessionLimit
	now := time.Unix(1000, 0)
	for range sessionBurst {
		require.NoError(t, l.take("a", now))
	}
	require.ErrorIs(t, l.take("a", now), tooManySessions)
	require.NoError(t, l.take("b", now), "another node has its own")
	now = now.Add(sessionInterval)
	require.NoError(t, l.take("a", now))
	require.ErrorIs(t, l.take("a", now), tooManySessions)
	opened := 0
	for range 3600 { // an hour of trying
		now = now.Add(time.Second)
		if l.take("a", now) == nil {
			opened++
		}
	}
	require.Equal(t, 1800, opened)

	for i := range 10 * maxSessionNodes { // names that were made up
		_ = l.take(fmt.Sprint(i), now)
	}
	require.Len(t, l.spent, maxSessionNodes)
	require.NoError(t, l.take("c", now.Add(time.Hour)), "what was not used is forgotten")
}
