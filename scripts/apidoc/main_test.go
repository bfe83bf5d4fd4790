package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPage_IsUpToDate: docs/api.md is generated, and whoever adds an endpoint generates it again.
func TestPage_IsUpToDate(t *testing.T) {
	text, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	require.True(t, string(text) == page(), "docs/api.md is stale: go run ./scripts/apidoc > docs/api.md (or make fix)")
}
