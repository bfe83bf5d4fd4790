package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// sealing returns a directory, and its last segment, after a crash between the last write to a full segment and the record that it is full.
// The log has 20 entries and then one batch that fills the segment, up to the entry last.
func sealing(t *testing.T) (dir, segment string, last uint64) {
	t.Helper()
	const before, megabytes = 20, 65 // a segment has 64
	dir = t.TempDir()
	s := mustOpen(t, dir, withLog(store.LogWAL))
	require.NoError(t, s.Log().StoreLogs(entries(1, before, 2)))
	copied, segment := crashed(t, dir)
	var batch []*raft.Log
	for i := range uint64(megabytes) {
		batch = append(batch, &raft.Log{Index: before + 1 + i, Term: 2, Type: raft.LogCommand, Data: bytes.Repeat([]byte{byte(i)}, 1<<20)})
	}
	require.NoError(t, s.Log().StoreLogs(batch))
	require.NoError(t, s.Close())
	full, err := os.ReadFile(filepath.Join(dir, "wal", filepath.Base(segment)))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(segment, full, 0o600))
	return copied, segment, before + megabytes
}

// A crash between filling a segment and beginning the next one must not leave a log that refuses every write.
func TestOpen_ContinuesBehindAFullSegment(t *testing.T) {
	dir, _, last := sealing(t)
	for range 2 { // the second time what Open recorded is read
		s := mustOpen(t, dir)
		got, err := s.Log().LastIndex()
		require.NoError(t, err)
		require.Equal(t, last, got)
		require.NoError(t, s.Log().StoreLogs(entries(last+1, last+3, 2)))
		last += 3
		for _, i := range []uint64{1, 20, 21, 85, last} {
			var entry raft.Log
			require.NoError(t, s.Log().GetLog(i, &entry))
			require.Equal(t, i, entry.Index)
		}
		require.NoError(t, s.Close())
	}
}

// The index of a batch that was never whole must not seal the segment.
func TestOpen_ForgetsATornSeal(t *testing.T) {
	dir, path, last := sealing(t)
	segment, err := os.ReadFile(path)
	require.NoError(t, err)
	torn := bytes.Index(segment, bytes.Repeat([]byte{7}, 4096)) // of the eighth entry of the batch
	clear(segment[torn : torn+512])
	require.NoError(t, os.WriteFile(path, segment, 0o600))
	for _, have := range []uint64{20, 22} {
		s := mustOpen(t, dir)
		requireLog(t, s.Log(), 1, have)
		require.NoError(t, s.Log().StoreLogs(entries(have+1, have+2, 2)))
		require.NoError(t, s.Close())
	}
	require.Less(t, uint64(22), last)
}
