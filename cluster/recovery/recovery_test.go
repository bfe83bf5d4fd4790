package recovery

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

func optionsOf(dir string, kind store.LogKind) store.Options {
	return store.Options{Dir: dir, LogStore: kind, Reads: replica.Reads("test")}
}

var root = fsm.Hash{1}

func keyHash(i int) (h fsm.Hash) {
	binary.BigEndian.PutUint64(h[8:], uint64(i)+1)
	return h
}

// entries are the log of a cluster of three: a configuration, a ledger, and debits.
func entries(t *testing.T, self string) (log []*raft.Log) {
	add := func(kind raft.LogType, data []byte) {
		log = append(log, &raft.Log{Index: uint64(len(log) + 1), Term: 2, Type: kind, Data: data})
	}
	batch := func(calls ...fsm.Call) {
		add(raft.LogCommand, codec.AppendBatch(nil, fsm.Batch{Stamp: 1_700_000_000_000 + int64(len(log)), Calls: calls}))
	}
	add(raft.LogConfiguration, raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{
		{Suffrage: raft.Voter, ID: raft.ServerID(self), Address: "a:1"}, {Suffrage: raft.Voter, ID: "b", Address: "b:1"}, {Suffrage: raft.Voter, ID: "c", Address: "c:1"},
	}}))
	batch(fsm.Call{Command: &fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_root", RootKeyHash: root}})
	batch(fsm.Call{Actor: root, Command: &fsm.OpenSession{}})
	batch(fsm.Call{Actor: root, Command: &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"}})
	for i := range 20 {
		batch(fsm.Call{Actor: root, Command: &fsm.CreateKey{
			ID: "key_" + string(rune('a'+i)), Hash: keyHash(i), Start: "abcd", APIID: "api_1", Enabled: true, Expires: fsm.Never,
			Credits: fsm.NewCredits{Limited: true, Remaining: 100},
		}})
	}
	add(raft.LogNoop, nil)
	for i := range 20 {
		batch(fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: keyHash(i), Cost: 7}})
	}
	return log
}

// survivor is the directory of a node of three, with a snapshot after so many entries; 0: without one. It returns the digest that the ledger has
// under another cluster id.
func survivor(t *testing.T, kind store.LogKind, snapshotAt int) (dir string, digest func(clusterID string) string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s, err := store.Open(optionsOf(dir, kind))
	require.NoError(t, err)
	log := entries(t, s.NodeID())
	require.NoError(t, s.SetClusterID("cl_1"))
	require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), 5))
	r := replica.New(replica.Config{
		Logger: slog.New(slog.DiscardHandler), CheckpointEntries: 1000, Configured: func([]raft.Server) {},
		Fail: func(err error) { panic(err) }, RaiseLedgerVersion: s.RaiseLedgerVersion,
	})
	require.NoError(t, s.Log().StoreLogs(log))
	for _, entry := range log {
		r.Apply(entry)
		if int(entry.Index) == snapshotAt {
			snapshot, err := r.Snapshot()
			require.NoError(t, err)
			sink, err := s.Snapshots().Create(1, entry.Index, entry.Term, raft.DecodeConfiguration(log[0].Data), 1, nil)
			require.NoError(t, err)
			require.NoError(t, snapshot.Persist(sink))
			snapshot.Release()
		}
	}
	require.NoError(t, s.Close())
	return dir, func(clusterID string) string {
		r.ContinueAs(clusterID)
		_, d := r.Digest()
		return d.String()
	}
}

// ledgerOf opens a directory as a node would, and returns its ledger.
func ledgerOf(t *testing.T, s *store.Store) *replica.Replica {
	t.Helper()
	r := replica.New(replica.Config{
		Logger: slog.New(slog.DiscardHandler), CheckpointEntries: 1000, Configured: func([]raft.Server) {},
		Fail: func(err error) { panic(err) }, RaiseLedgerVersion: s.RaiseLedgerVersion,
	})
	list, err := s.Snapshots().List()
	require.NoError(t, err)
	require.Len(t, list, 1)
	_, source, err := s.Snapshots().Open(list[0].ID)
	require.NoError(t, err)
	require.NoError(t, r.Restore(source))
	require.NoError(t, source.Close())
	return r
}

func agree(Survey) (bool, error) { return true, nil }

// requireAlone checks that a directory is that of a cluster of one, and closes it.
func requireAlone(t *testing.T, dir, nodeID, clusterID, digest string, index uint64) {
	t.Helper()
	s, err := store.Open(optionsOf(dir, ""))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.Equal(t, nodeID, s.NodeID())
	require.Equal(t, clusterID, s.ClusterID())
	servers, err := s.Servers()
	require.NoError(t, err)
	require.Len(t, servers, 1)
	require.EqualValues(t, nodeID, servers[0].ID)
	r := ledgerOf(t, s)
	at, got := r.Digest()
	require.Equal(t, index, at)
	require.Equal(t, digest, got.String())
	require.Equal(t, clusterID, r.ClusterID())
}

// A survivor goes on with all of its log, as another node in another generation. What was there before is kept, and can be opened.
func TestRecover_MakesAClusterOfOne(t *testing.T) {
	t.Parallel()
	for kind, snapshots := range map[store.LogKind][]int{store.LogWAL: {12}, store.LogBolt: {0, 45}} {
		for _, snapshotAt := range snapshots {
			dir, digest := survivor(t, kind, snapshotAt)
			var saw Survey
			done, err := Recover(optionsOf(dir, ""), func(v Survey) (bool, error) { saw = v; return true, nil })
			require.NoError(t, err)
			require.EqualValues(t, snapshotAt, saw.SnapshotIndex)
			require.EqualValues(t, 45, saw.LastIndex)
			require.EqualValues(t, 2, saw.LastTerm)
			require.True(t, saw.Voter())
			require.False(t, saw.Alone())
			require.Len(t, saw.Servers, 3)
			id := generation.Parse(done.ClusterID)
			require.Equal(t, "cl_1", id.Base)
			require.EqualValues(t, 2, id.Number)
			require.NotEqual(t, saw.NodeID, done.NodeID, "nobody must take it for the node that it was")
			requireAlone(t, dir, done.NodeID, done.ClusterID, digest(done.ClusterID), 45)

			before, err := store.Open(optionsOf(done.Before, ""))
			require.NoError(t, err)
			require.Equal(t, saw.NodeID, before.NodeID())
			require.NoError(t, before.Close())
			again, err := Recover(optionsOf(dir, ""), agree)
			require.NoError(t, err)
			require.EqualValues(t, 3, generation.Parse(again.ClusterID).Number)
			require.Equal(t, filepath.Join(dir, "before-recovery-2"), again.Before)
		}
	}
}

func TestRecover_ChangesNothingWithoutAYes(t *testing.T) {
	t.Parallel()
	dir, _ := survivor(t, store.LogWAL, 12)
	_, err := Recover(optionsOf(dir, ""), func(Survey) (bool, error) { return false, nil })
	require.ErrorIs(t, err, ErrDeclined)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		require.NotContains(t, e.Name(), "recovery")
	}
	_, err = Recover(optionsOf(t.TempDir(), ""), agree)
	require.ErrorContains(t, err, "no data directory of a node")
	empty := t.TempDir()
	s, err := store.Open(optionsOf(empty, ""))
	require.NoError(t, err)
	_, err = Recover(optionsOf(empty, ""), agree)
	require.Equal(t, store.KindLocked, store.KindOf(err), "a node that runs")
	require.NoError(t, s.Close())
	_, err = Recover(optionsOf(empty, ""), agree)
	require.ErrorContains(t, err, "never belonged to a cluster")
}

// Whatever step a recovery is interrupted at, no node starts with half of it, and the next call completes it.
func TestRecover_GoesOnWhereItWasInterrupted(t *testing.T) {
	t.Parallel()
	moveTo := func(from, to string, names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			require.NoError(t, os.MkdirAll(filepath.Join(dir, to), 0o700))
			for _, name := range names {
				require.NoError(t, os.Rename(filepath.Join(dir, from, name), filepath.Join(dir, to, name)))
			}
		}
	}
	both := func(steps ...func(*testing.T, string)) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			for _, step := range steps {
				step(t, dir)
			}
		}
	}
	aside := func(t *testing.T, dir string) {
		require.NoError(t, setAside(dir))
		require.NoError(t, rename(filepath.Join(dir, readyName), filepath.Join(dir, placingName)))
	}
	for name, interrupted := range map[string]func(t *testing.T, dir string){
		"old meta.json moved": moveTo(".", "before-recovery-1", store.MetaName),
		"half of old moved":   moveTo(".", "before-recovery-1", store.MetaName, "state.db"),
		"old moved":           func(t *testing.T, dir string) { require.NoError(t, setAside(dir)) },
		"before placing":      aside,
		"half placed":         both(aside, moveTo(placingName, ".", "state.db")),
		"all but meta.json":   both(aside, moveTo(placingName, ".", "state.db", "stable.db", "log.db")),
		"nothing was moved":   func(*testing.T, string) {},
		"directory for before": func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "before-recovery-1"), 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, digest := survivor(t, store.LogBolt, 12)
			old, err := store.Open(optionsOf(dir, ""))
			require.NoError(t, err)
			made, err := recoverFrom(old, optionsOf(dir, ""), agree)
			require.NoError(t, err)
			require.NoError(t, old.Close())
			interrupted(t, dir)
			begun := !exists(filepath.Join(dir, store.MetaName))
			if begun {
				_, err = store.Open(optionsOf(dir, ""))
				require.Error(t, err, "half of a recovery must not start")
			}
			done, err := Recover(optionsOf(dir, ""), func(Survey) (bool, error) {
				require.False(t, begun, "it was confirmed before")
				return true, nil
			})
			require.NoError(t, err)
			if !begun {
				made = done
			}
			require.FileExists(t, filepath.Join(done.Before, store.MetaName))
			requireAlone(t, dir, made.NodeID, made.ClusterID, digest(made.ClusterID), 45)
		})
	}
}

type noPace struct{}

func (noPace) Turn(context.Context) (end func(), err error) { return func() {}, nil }
func (noPace) Rest(context.Context, time.Duration) error    { return nil }

// saved is a backup of a directory.
func saved(t *testing.T, dir string) ([]byte, backup.Header) {
	t.Helper()
	s, err := store.Open(optionsOf(dir, ""))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	source, err := backup.Open(s, "v9", time.UnixMilli(77))
	require.NoError(t, err)
	var file bytes.Buffer
	require.NoError(t, source.Write(t.Context(), &file, noPace{}))
	require.NoError(t, source.Close())
	return file.Bytes(), source.Header
}

// A backup becomes a cluster of one: with an id of its own, or as the next generation.
func TestRestore_MakesAClusterOfOne(t *testing.T) {
	t.Parallel()
	dir, digest := survivor(t, store.LogBolt, 45)
	file, header := saved(t, dir)
	require.Equal(t, "cl_1", header.ClusterID)
	require.EqualValues(t, 45, header.Index)
	for _, id := range []string{"cl_new", ""} {
		to := filepath.Join(t.TempDir(), "new")
		done, err := Restore(bytes.NewReader(file), optionsOf(to, ""), id)
		require.NoError(t, err)
		if id == "" {
			require.Equal(t, "cl_1", generation.Parse(done.ClusterID).Base)
			require.EqualValues(t, 2, generation.Parse(done.ClusterID).Number)
		} else {
			require.Equal(t, id, done.ClusterID)
		}
		requireAlone(t, to, done.NodeID, done.ClusterID, digest(done.ClusterID), 45)
		_, err = Restore(bytes.NewReader(file), optionsOf(to, ""), "")
		require.ErrorContains(t, err, "is not empty")
	}
}

// What is damaged is not restored, and leaves the directory as it was: the next attempt begins anew.
func TestRestore_RefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	dir, _ := survivor(t, store.LogBolt, 45)
	file, _ := saved(t, dir)
	to := t.TempDir()
	for name, bad := range map[string][]byte{
		"short": file[:len(file)-1], "half": file[:len(file)/2], "longer": append(bytes.Clone(file), 0), "empty": nil,
		"flipped": func() []byte { b := bytes.Clone(file); b[len(b)/2] ^= 1; return b }(),
	} {
		_, err := Restore(bytes.NewReader(bad), optionsOf(to, ""), "cl_new")
		require.Error(t, err, name)
		left, err := os.ReadDir(to)
		require.NoError(t, err)
		require.Empty(t, left, name)
	}
	_, err := Restore(bytes.NewReader(file), optionsOf(to, ""), "cl_new")
	require.NoError(t, err)
}
