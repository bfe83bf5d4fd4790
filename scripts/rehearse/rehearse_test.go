package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRehearse_NothingFails: the whole rehearsal, with few clients.
func TestRehearse_NothingFails(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(t.Context(), []string{"-clients", "3", "-out", t.TempDir()}, &stdout, &stderr), "%s%s", &stdout, &stderr)
}
