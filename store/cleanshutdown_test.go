package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// keep returns what puts a file back as it is now.
func keep(t *testing.T, path string) (putBack func()) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return func() { require.NoError(t, os.WriteFile(path, data, 0o600)) }
}

// An installed snapshot lies beyond the log's end: with an older state.db put back the log alone would look complete.
func TestShutdownMarker_CoversASnapshotAheadOfTheLog(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			leader := mustOpen(t, t.TempDir())
			snapshot(t, leader, 200, map[string]string{"a": "new"})
			dir := t.TempDir()
			s := mustOpen(t, dir, withLog(kind))
			require.NoError(t, s.Stable().SetUint64(currentTerm, 2))
			require.NoError(t, s.Log().StoreLogs(entries(1, 50, 2)))
			snapshot(t, s, 30, map[string]string{"a": "old"})
			require.NoError(t, s.Close())
			putBack := keep(t, filepath.Join(dir, "state.db"))
			s = mustOpen(t, dir)
			send(t, leader, s)
			require.NoError(t, s.Log().DeleteRange(1, 50))
			require.NoError(t, s.Close())
			require.NoError(t, mustOpen(t, dir).Close(), "in order")
			putBack()
			refuse(t, store.Options{Dir: dir}, store.KindDamaged, "ended at 200", "state.db")
		})
	}
}

// After a crash there is no marker, but a node that stored an entry of a term had the term on disk. A node that forgot it could vote twice.
func TestOpen_RefusesATermBehindTheLog(t *testing.T) {
	for _, kind := range kinds {
		for name, write := range map[string]func(*store.Store){
			"log":      func(s *store.Store) { require.NoError(t, s.Log().StoreLogs(entries(1, 5, 2))) },
			"snapshot": func(s *store.Store) { snapshot(t, s, 5, map[string]string{"a": "1"}) },
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				dir, crashed := t.TempDir(), filepath.Join(t.TempDir(), "crashed")
				s := mustOpen(t, dir, withLog(kind))
				require.NoError(t, s.Stable().SetUint64(currentTerm, 1))
				require.NoError(t, s.Stable().SetUint64(voteTerm, 1))
				require.NoError(t, s.Stable().Set(voteCand, []byte("node_a")))
				old, err := os.ReadFile(filepath.Join(dir, "stable.db"))
				require.NoError(t, err)
				require.NoError(t, s.Stable().SetUint64(currentTerm, 2))
				write(s)
				require.NoError(t, os.CopyFS(crashed, os.DirFS(dir)))
				require.NoError(t, os.WriteFile(filepath.Join(crashed, "stable.db"), old, 0o600))
				refuse(t, store.Options{Dir: crashed}, store.KindDamaged, "stable.db", "has term 1", "of term 2")
			})
		}
	}
}
