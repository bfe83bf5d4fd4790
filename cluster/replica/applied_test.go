package replica

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client may ask for an index that never comes, and hang up: nothing of it stays.
func TestAppliedIndex_ForgetsWhoGivesUp(t *testing.T) {
	var a appliedIndex
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 10 {
		require.ErrorIs(t, a.wait(ctx, 1<<60), context.Canceled)
	}
	require.Empty(t, a.waiting)

	reached := make(chan error, 1)
	go func() { reached <- a.wait(context.Background(), 5) }()
	a.advance(4)
	a.advance(6)
	require.NoError(t, <-reached)
	require.Empty(t, a.waiting)
}
