package store_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/creditd/creditd/store"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("STORE_TEST_HOLD"); dir != "" {
		holdDirectory(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

var kinds = []store.LogKind{store.LogBolt, store.LogWAL}

func mustOpen(tb testing.TB, dir string, options ...func(*store.Options)) *store.Store {
	tb.Helper()
	o := store.Options{Dir: dir}
	if _, err := os.Stat(filepath.Join(dir, "meta.json")); os.IsNotExist(err) {
		o.LogStore = store.LogBolt // small, and in a file that tests can name
	}
	for _, set := range options {
		set(&o)
	}
	s, err := store.Open(o)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func withLog(kind store.LogKind) func(*store.Options) {
	return func(o *store.Options) { o.LogStore = kind }
}

func refuse(tb testing.TB, o store.Options, kind store.Kind, words ...string) {
	tb.Helper()
	s, err := store.Open(o)
	if s != nil {
		_ = s.Close()
	}
	require.Error(tb, err)
	require.Equal(tb, kind, store.KindOf(err), err.Error())
	for _, w := range words {
		require.ErrorContains(tb, err, w)
	}
}

// await waits for a condition that another goroutine brings about.
func await(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	require.Eventually(tb, ok, 10*time.Second, time.Millisecond, what)
}

var testConfiguration = raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: "node_a", Address: "127.0.0.1:7071"}}}

func create(tb testing.TB, s *store.Store, index, term uint64) store.SnapshotSink {
	tb.Helper()
	k, err := s.Snapshots().Create(1, index, term, testConfiguration, 1, nil)
	require.NoError(tb, err)
	return k.(store.SnapshotSink)
}

// snapshot writes records, deleting those with an empty value.
func snapshot(tb testing.TB, s *store.Store, index uint64, records map[string]string) string {
	tb.Helper()
	k := create(tb, s, index, 2)
	for key, value := range records {
		if value == "" {
			require.NoError(tb, k.Delete([]byte(key)))
		} else {
			require.NoError(tb, k.Put([]byte(key), []byte(value)))
		}
	}
	k.SetLedger(store.Ledger{Digest: fmt.Appendf(nil, "digest at %d", index)})
	require.NoError(tb, k.Close())
	return k.ID()
}

func openOnly(tb testing.TB, s *store.Store) (*raft.SnapshotMeta, io.ReadCloser) {
	tb.Helper()
	list, err := s.Snapshots().List()
	require.NoError(tb, err)
	require.Len(tb, list, 1)
	meta, r, err := s.Snapshots().Open(list[0].ID)
	require.NoError(tb, err)
	return meta, r
}

func recordsOf(r io.Reader) (map[string]string, error) {
	records, err := store.RecordsOf(r)
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	var last []byte
	err = records.Records(func(key, value []byte) error {
		if last != nil && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("key %q after %q", key, last)
		}
		last = bytes.Clone(key)
		got[string(key)] = string(value)
		return nil
	})
	return got, err
}

func contents(tb testing.TB, s *store.Store) map[string]string {
	tb.Helper()
	_, r := openOnly(tb, s)
	defer func() { require.NoError(tb, r.Close()) }()
	got, err := recordsOf(r)
	require.NoError(tb, err)
	return got
}

// send streams the snapshot of one store into another, as raft does.
func send(tb testing.TB, from, to *store.Store) string {
	tb.Helper()
	meta, r := openOnly(tb, from)
	k, err := to.Snapshots().Create(meta.Version, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	require.NoError(tb, err)
	n, err := io.Copy(k, r)
	require.NoError(tb, err)
	require.Equal(tb, meta.Size, n)
	require.NoError(tb, r.Close())
	require.NoError(tb, k.Close())
	return k.ID()
}

func leftovers(tb testing.TB, dir string) []string {
	tb.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "state.db.incoming*"))
	require.NoError(tb, err)
	return names
}

func numbered(from, to int, value string) map[string]string {
	records := map[string]string{}
	for i := from; i < to; i++ {
		records[fmt.Sprintf("key-%06d", i)] = fmt.Sprintf("%s-%d", value, i)
	}
	return records
}
