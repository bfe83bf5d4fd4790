package store_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// What a directory is made with, it keeps.
func TestOpen_KeepsIdentity(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "new", "data")
			s := mustOpen(t, dir, withLog(kind))
			id := s.NodeID()
			require.Regexp(t, regexp.MustCompile(`^node_[a-z2-7]{16}$`), id)
			require.Empty(t, s.ClusterID())
			require.NoError(t, s.SetClusterID("c1"))
			require.NoError(t, s.SetClusterID("c1"))
			require.Equal(t, store.KindForeign, store.KindOf(s.SetClusterID("c2")))
			has, err := s.HasState()
			require.NoError(t, err)
			require.False(t, has)
			require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 3))
			require.NoError(t, s.Healthy())
			require.NoError(t, s.Close())
			require.NoError(t, s.Close(), "closing twice")

			s = mustOpen(t, dir)
			require.Equal(t, id, s.NodeID())
			require.Equal(t, "c1", s.ClusterID())
			require.Equal(t, kind, s.Stats().LogStore)
			has, err = s.HasState()
			require.NoError(t, err)
			require.True(t, has)
		})
	}
	require.NotEqual(t, mustOpen(t, t.TempDir()).NodeID(), mustOpen(t, t.TempDir()).NodeID())
}

func TestOpen_RefusesAnotherLogKind(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, mustOpen(t, dir, withLog(store.LogBolt)).Close())
	refuse(t, store.Options{Dir: dir, LogStore: store.LogWAL}, store.KindLogKind, dir, "boltdb", "wal")
	refuse(t, store.Options{Dir: dir, LogStore: "rocks"}, store.KindInvalid, "rocks")
	refuse(t, store.Options{}, store.KindInvalid, "no data directory")
}

func TestOpen_RefusesAForeignDirectory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.doc"), nil, 0o600))
	refuse(t, store.Options{Dir: dir}, store.KindForeign, dir, "thesis.doc")
	require.NoFileExists(t, filepath.Join(dir, "LOCK"), "nothing is left in it")

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	refuse(t, store.Options{Dir: file}, store.KindFailed, file)

	mount := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(mount, "lost+found"), 0o700))
	mustOpen(t, mount)
}

func TestOpen_RefusesADamagedIdentity(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, mustOpen(t, dir).Close())
	path := filepath.Join(dir, "meta.json")
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x04
		if i == len(good)-1 {
			bad[i] = 'x' // the newline carries nothing, but no garbage either
		}
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		refuse(t, store.Options{Dir: dir}, store.KindDamaged, path)
	}
	for _, bad := range [][]byte{nil, []byte("{}"), good[:len(good)/2], append(good, good...)} {
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		refuse(t, store.Options{Dir: dir}, store.KindDamaged, path)
	}
}

// Another layout may have fields we do not know; that is no damage.
func TestOpen_RefusesAnotherLayout(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, mustOpen(t, dir).Close())
	path := filepath.Join(dir, "meta.json")
	require.NoError(t, os.WriteFile(path, store.SealIdentity([]byte(`{"layout_version":4,"shape":"other"}`)), 0o600))
	refuse(t, store.Options{Dir: dir}, store.KindNewer, path, "layout version 4; this build reads layout versions 2 to 3: start the newer creditd")
	refuse(t, store.Options{Dir: dir, Reads: store.Versions{Build: "v1.2.0"}}, store.KindNewer, path, "this build (v1.2.0) reads")
	require.NoError(t, os.WriteFile(path, store.SealIdentity([]byte(`{"layout_version":1,"shape":"other"}`)), 0o600))
	refuse(t, store.Options{Dir: dir}, store.KindOlder, path, "layout version 1")
	require.NoError(t, os.WriteFile(path, store.SealIdentity([]byte(`{"layout_version":2,"shape":"other"}`)), 0o600))
	refuse(t, store.Options{Dir: dir}, store.KindDamaged, path)
}

// A node that kept its id and lost its state could vote twice.
func TestOpen_RefusesALostPart(t *testing.T) {
	for _, kind := range kinds {
		for _, part := range []string{"meta.json", "stable.db", "state.db", "log"} {
			for _, active := range []bool{false, true} {
				dir := t.TempDir()
				s := mustOpen(t, dir, withLog(kind))
				if active {
					require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 1))
				}
				require.NoError(t, s.Close())
				path := filepath.Join(dir, part)
				if part == "log" {
					path = filepath.Join(dir, map[store.LogKind]string{store.LogBolt: "log.db", store.LogWAL: "wal"}[kind])
				}
				require.NoError(t, os.RemoveAll(path))
				refuse(t, store.Options{Dir: dir}, store.KindMissing, path)
			}
		}
	}
}

// Nor may a file of another node, or a fresh one, take the place of a lost one.
func TestOpen_RefusesAnExchangedPart(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	require.NoError(t, mustOpen(t, dir).Close())
	require.NoError(t, mustOpen(t, other).Close())
	for _, name := range []string{"stable.db", "log.db"} {
		path := filepath.Join(dir, name)
		own, err := os.ReadFile(path)
		require.NoError(t, err)
		foreign, err := os.ReadFile(filepath.Join(other, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, foreign, 0o600))
		refuse(t, store.Options{Dir: dir}, store.KindForeign, path, "belongs to node_")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		refuse(t, store.Options{Dir: dir}, store.KindDamaged, path)
		require.NoError(t, os.WriteFile(path, own, 0o600))
	}
	mustOpen(t, dir)
}

// An active node whose stable store went back to the time before its first term.
func TestOpen_RefusesALostTerm(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, mustOpen(t, dir).Close())
	path := filepath.Join(dir, "stable.db")
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	s := mustOpen(t, dir)
	require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 1))
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(path, before, 0o600))
	refuse(t, store.Options{Dir: dir}, store.KindMissing, path, "term is missing")
}

// A crash anywhere in the creation must not make the directory unusable. raft
// has not written yet, so the next start creates the missing files under the
// same id.
func TestOpen_CompletesAnInterruptedCreation(t *testing.T) {
	for _, kind := range kinds {
		for _, lost := range [][]string{{"state.db"}, {"state.db", "stable.db"}, {"state.db", "stable.db", "log.db", "wal"}, {}} {
			dir := t.TempDir()
			s := mustOpen(t, dir, withLog(kind))
			id := s.NodeID()
			require.NoError(t, s.Close())
			path := filepath.Join(dir, "meta.json")
			var sealed struct{ Content json.RawMessage }
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(data, &sealed))
			content := strings.Replace(string(sealed.Content), `"ready"`, `"creating"`, 1)
			require.NoError(t, os.WriteFile(path, store.SealIdentity([]byte(content)), 0o600))
			for _, name := range lost {
				require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
			}
			require.NoError(t, os.WriteFile(filepath.Join(dir, "stable.db.tmp"), []byte("half"), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "state.db.incoming.1"), []byte("half"), 0o600))

			s = mustOpen(t, dir)
			require.Equal(t, id, s.NodeID())
			require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 1))
			require.NoError(t, s.Log().StoreLog(&raft.Log{Index: 1, Term: 1}))
			snapshot(t, s, 1, map[string]string{"a": "1"})
			require.NoFileExists(t, filepath.Join(dir, "stable.db.tmp"))
			require.Empty(t, leftovers(t, dir))
		}
	}
}

// A process that dies between the two writes of a founding must be able to begin anew. One that has voted must not.
func TestOpen_UndoesAnInterruptedBootstrap(t *testing.T) {
	for _, kind := range kinds {
		dir := t.TempDir()
		s := mustOpen(t, dir, withLog(kind))
		require.NoError(t, s.Stable().SetUint64(currentTerm, 1))
		require.NoError(t, s.Close())
		for range 2 {
			s = mustOpen(t, dir)
			has, err := s.HasState()
			require.NoError(t, err)
			require.False(t, has)
			require.NoError(t, s.Close())
		}
		s = mustOpen(t, dir)
		require.NoError(t, s.Stable().SetUint64(currentTerm, 1))
		require.NoError(t, s.Log().StoreLogs(entries(1, 1, 1)))
		require.NoError(t, s.Close())
		term, err := mustOpen(t, dir).Stable().GetUint64(currentTerm)
		require.NoError(t, err)
		require.Equal(t, uint64(1), term)
	}
	dir := t.TempDir()
	s := mustOpen(t, dir)
	require.NoError(t, s.Stable().SetUint64(currentTerm, 1))
	require.NoError(t, s.Stable().SetUint64(voteTerm, 1))
	require.NoError(t, s.Stable().Set(voteCand, []byte("node_a")))
	require.NoError(t, s.Close())
	term, err := mustOpen(t, dir).Stable().GetUint64(currentTerm)
	require.NoError(t, err)
	require.Equal(t, uint64(1), term)
}
