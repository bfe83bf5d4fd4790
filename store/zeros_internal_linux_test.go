package store

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// requireWritten requires that a file was written up to end, and that the rest is only allocated.
func requireWritten(t *testing.T, path string, end int64) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	hole, err := f.Seek(0, unix.SEEK_HOLE)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	if hole == info.Size() && end < hole {
		t.Log("this file system does not tell what was only allocated")
		return
	}
	const page = 4096
	require.InDelta(t, end, hole, page)
}
