package store_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// syncedFile counts what was written since the last fsync.
type syncedFile struct {
	dirty, most, syncs int
	err                error
}

func (f *syncedFile) Write(p []byte) (int, error) {
	f.dirty += len(p)
	f.most = max(f.most, f.dirty)
	return len(p), nil
}

func (f *syncedFile) Sync() error {
	f.dirty, f.syncs = 0, f.syncs+1
	return f.err
}

// A large file never has much to go to the disk at once. A failure of the disk is one of the write.
func TestSyncing_WritesInSteps(t *testing.T) {
	f := &syncedFile{}
	w := &store.Syncing{File: f}
	piece := make([]byte, store.SyncEvery/4)
	for range 80 {
		n, err := w.Write(piece)
		require.NoError(t, err)
		require.Equal(t, len(piece), n)
	}
	require.Equal(t, 20, f.syncs)
	require.Equal(t, store.SyncEvery, f.most)
	f.err = errors.New("disk on fire")
	_, err := w.Write(make([]byte, store.SyncEvery))
	require.ErrorIs(t, err, f.err)
}
