package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDescriptions_AreComplete: an endpoint that lands is described in descriptions.go, and one that goes takes its row along.
func TestDescriptions_AreComplete(t *testing.T) {
	all := endpoints()
	for _, e := range all {
		d, ok := descriptions[e.name]
		require.True(t, ok, "%s has no row in descriptions.go", e.name)
		require.NotEmpty(t, d.summary, "%s has no summary", e.name)
		require.NotEmpty(t, d.example, "%s has no example", e.name)
	}
	require.Len(t, descriptions, len(all), "a row of descriptions.go belongs to no endpoint")
}
