package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A module that is added or updated is added or updated in NOTICE as well.
func TestNotice_NamesWhatIsLinked(t *testing.T) {
	want, err := notice()
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join("..", "..", "NOTICE"))
	require.NoError(t, err)
	require.True(t, string(got) == want, "NOTICE is out of date: run 'make fix'")
	for _, part := range []string{"github.com/hashicorp/raft v", "Mozilla Public License", "Go standard library", "BSD", "Apache License"} {
		require.Contains(t, want, part)
	}
}
