package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// Whoever opens a directory may load its snapshot while the log is checked. Open returns when both are done, and fails only for the log.
func TestOpen_LoadsTheSnapshotBesideTheLog(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			none := func(store.RecordReader) { t.Error("there is no snapshot") }
			s := mustOpen(t, dir, withLog(kind), func(o *store.Options) { o.Load = none })
			want := numbered(0, 500, "v")
			id := snapshot(t, s, 30, want)
			require.NoError(t, s.Log().StoreLogs(entries(1, 50, 2)))
			require.NoError(t, s.Stable().SetUint64(currentTerm, 2))
			require.NoError(t, s.Close())

			var of string
			got, failed := map[string]string{}, error(nil)
			s = mustOpen(t, dir, func(o *store.Options) {
				o.Load = func(records store.RecordReader) {
					of = records.ID()
					failed = records.Records(func(key, value []byte) error {
						got[string(key)] = string(value)
						return nil
					})
				}
			})
			require.NoError(t, failed)
			require.Equal(t, id, of)
			require.Equal(t, want, got)
			require.NoError(t, s.Log().GetLog(50, &raft.Log{}))
			require.NoError(t, s.Close())
		})
	}
}

// A log that is refused ends the load.
func TestOpen_EndsTheLoadWithADamagedLog(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	snapshot(t, s, 30, numbered(0, 500, "v"))
	require.NoError(t, s.Log().StoreLogs(entries(1, 50, 2)))
	require.NoError(t, s.Stable().SetUint64(currentTerm, 2))
	require.NoError(t, s.Close())
	require.NoError(t, os.Truncate(filepath.Join(dir, "log.db"), 4096))
	var ended error
	load := func(records store.RecordReader) {
		for ended == nil { // it could go on for ever
			ended = records.Records(func(_, _ []byte) error { return nil })
		}
	}
	refuse(t, store.Options{Dir: dir, Load: load}, store.KindDamaged)
	require.Equal(t, store.KindClosed, store.KindOf(ended), ended)
}
