package store

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft-wal/fs"
	"github.com/stretchr/testify/require"
)

// newSegment returns an empty segment of some size, as raft-wal makes one.
func newSegment(t *testing.T, size uint64) (*segmentFile, string) {
	t.Helper()
	dir := t.TempDir()
	w, err := (&segmentFiles{VFS: fs.New()}).Create(dir, "segment", size)
	require.NoError(t, err)
	f, ok := w.(*segmentFile)
	require.True(t, ok)
	t.Cleanup(func() { _ = f.Close() }) // most tests have closed it
	return f, filepath.Join(dir, "segment")
}

// Without an fsync after each write the log overtakes the zeros again and again.
func TestZeros_ReplaceNothingThatWasWritten(t *testing.T) {
	const size = 24 << 20
	f, path := newSegment(t, size)
	want, random := make([]byte, size), rand.New(rand.NewPCG(1, 2))
	for at, next := 0, 0; ; at = next {
		if next = at + 1 + random.IntN(100<<10); next > size {
			break
		}
		for i := at; i < next; i++ {
			want[i] = byte(random.Uint32() | 1)
		}
		n, err := f.WriteAt(want[at:next], int64(at))
		require.NoError(t, err)
		require.Equal(t, next-at, n)
	}
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, got, size, "a segment stays as long as it was allocated")
	for at := 0; at < size; at += 4096 { // in pieces: a difference is shown
		require.Equal(t, want[at:at+4096], got[at:at+4096], "at byte %d", at)
	}
}

// There are always between half and all of the zeros, and none behind the end of the file.
func TestZeros_AreAheadOfTheLog(t *testing.T) {
	const size = 3 * zerosAhead
	f, path := newSegment(t, size)
	requireFilled := func(end int64) {
		t.Helper()
		f.zeros.work.Wait()
		require.Equal(t, end, f.zeros.filled)
		requireWritten(t, path, end)
	}
	write := func(at, n int64) {
		t.Helper()
		_, err := f.WriteAt(make([]byte, n), at)
		require.NoError(t, err)
	}
	write(0, 100)
	requireFilled(100 + zerosAhead)
	write(100, zerosAhead/2)
	requireFilled(100 + zerosAhead)
	write(100+zerosAhead/2, 1)
	requireFilled(101 + zerosAhead*3/2)
	write(101+zerosAhead/2, zerosAhead*2)
	requireFilled(size)
	write(size-8, 8)
	requireFilled(size)
}

// A disk that does not take zeros is broken, and the node stops, as for an entry that it does not take.
func TestZeros_AFailureIsOneOfTheLog(t *testing.T) {
	f, path := newSegment(t, 1<<20)
	require.NoError(t, f.zeros.file.Close())
	_, err := f.WriteAt([]byte("entry"), 0)
	require.NoError(t, err)
	f.zeros.work.Wait()
	err = f.Sync()
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorContains(t, err, path)
}

// On a full disk the log goes on: what it needs may be there.
func TestZeros_AFullDiskIsNone(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("this system has no device that is full: %v", err)
	}
	f, _ := newSegment(t, 1<<20)
	require.NoError(t, f.zeros.file.Close())
	f.zeros.file = full
	_, err = f.WriteAt([]byte("entry"), 0)
	require.NoError(t, err)
	f.zeros.work.Wait()
	require.True(t, f.zeros.ended)
	require.NoError(t, f.Sync())
}
