package store_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// The cost of a snapshot follows the change: what did not change is not written.
func TestSnapshot_WritesOnlyWhatChanged(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	want := numbered(0, 5000, "v1")
	snapshot(t, s, 10, want)
	require.Equal(t, 5000, s.Stats().SnapshotWritten)

	id := snapshot(t, s, 20, map[string]string{"key-000007": "new", "key-000008": "v1-8", "key-000009": "", "absent": "", "z": "added"})
	want["key-000007"], want["z"] = "new", "added"
	delete(want, "key-000009")
	stats := s.Stats()
	require.Equal(t, []int{2, 1, 5000}, []int{stats.SnapshotWritten, stats.SnapshotDeleted, stats.SnapshotRecords})
	require.Equal(t, want, contents(t, s))

	require.NoError(t, s.Close())
	s = mustOpen(t, dir)
	require.Equal(t, want, contents(t, s))
	meta, r := openOnly(t, s)
	records, err := store.RecordsOf(r)
	require.NoError(t, err)
	require.Equal(t, id, meta.ID)
	require.Equal(t, id, records.ID())
	require.Equal(t, uint64(20), meta.Index)
	require.Equal(t, uint64(2), meta.Term)
	require.Equal(t, testConfiguration, meta.Configuration)
	require.Equal(t, uint64(1), meta.ConfigurationIndex)
	require.Equal(t, "digest at 20", string(records.Ledger().Digest))
	require.Equal(t, 5000, records.Count())
	require.NoError(t, r.Close())
}

// The last change of a key counts, in any order of keys.
func TestSnapshot_LastChangeOfAKeyWins(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	k := create(t, s, 5, 1)
	require.NoError(t, k.Put([]byte("b"), []byte("1")))
	require.NoError(t, k.Put([]byte("a"), []byte("1")))
	require.NoError(t, k.Put([]byte("b"), []byte("2")))
	require.NoError(t, k.Delete([]byte("a")))
	require.NoError(t, k.Put([]byte("c"), nil))
	require.NoError(t, k.Close())
	require.NoError(t, k.Close(), "closing twice")
	require.Equal(t, map[string]string{"b": "2", "c": ""}, contents(t, s))
}

// A snapshot lets others have the CPU between any few changes, also while it writes them, and does not count what it rested.
func TestSnapshot_RestsBetweenChanges(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	began := time.Now()
	k := create(t, s, 10, 2)
	var calls int
	var rested time.Duration
	k.Pace(func() {
		calls++
		for began := time.Now(); ; {
			if took := time.Since(began); took > time.Millisecond {
				rested += took
				return
			}
		}
	})
	const changes = 1000
	for i := range changes {
		require.NoError(t, k.Put(fmt.Appendf(nil, "key %d", i), []byte("value")))
	}
	require.GreaterOrEqual(t, calls, changes/100)
	put := calls
	require.NoError(t, k.Close())
	require.GreaterOrEqual(t, calls-put, changes/100)
	require.LessOrEqual(t, s.Stats().SnapshotDuration, time.Since(began)-rested)
}

// Changes of a large part of the file go into a copy, which is written in small steps with rests between them. A few changes, or few for a large file,
// do not copy it.
func TestSnapshot_WritesManyChangesBeside(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	file := func() os.FileInfo {
		info, err := os.Stat(filepath.Join(dir, "state.db"))
		require.NoError(t, err)
		return info
	}
	large := strings.Repeat("x", 4<<10)
	want := numbered(0, 1000, large)
	snapshot(t, s, 10, want)
	for _, c := range []struct {
		changes int
		beside  bool
	}{{100, false}, {1000, true}, {255, false}, {300, false}} {
		before, rests := file(), 0
		k := create(t, s, s.Stats().SnapshotIndex+10, 2)
		value := fmt.Sprint(large, c.changes)
		for key, text := range numbered(0, c.changes, value) {
			require.NoError(t, k.Put([]byte(key), []byte(text)))
			want[key] = text
		}
		k.Pace(func() { rests++ })
		require.NoError(t, k.Close())
		require.Equal(t, c.beside, !os.SameFile(before, file()), "%d changes", c.changes)
		if c.beside {
			require.GreaterOrEqual(t, rests, int(file().Size()/store.SyncEvery))
		}
		require.Equal(t, want, contents(t, s))
		require.Empty(t, leftovers(t, dir))
	}
	require.NoError(t, s.Close())
	require.Equal(t, want, contents(t, mustOpen(t, dir)))
}

// A node that stops waits for no snapshot. Whatever one does at that moment, it ends, the present one stays, and nobody calls that a failure.
func TestSnapshot_IsGivenUpWhenTheNodeStops(t *testing.T) {
	large := strings.Repeat("x", 4<<10)
	before := numbered(0, 1000, large)
	for name, changes := range map[string]int{"while it collects changes": 1000, "while it copies the file": 1000, "in one transaction": 200} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir, func(o *store.Options) { o.OnFatal = func(err error) { t.Error(err) } })
			snapshot(t, s, 10, before)
			k := create(t, s, 20, 2)
			var err error
			for key, value := range numbered(0, changes, large+"2") {
				if err = k.Put([]byte(key), []byte(value)); err != nil {
					break
				}
				if name == "while it collects changes" {
					s.StopSnapshots()
				}
			}
			if err == nil {
				k.Pace(s.StopSnapshots)
				err = k.Close()
			}
			require.ErrorIs(t, err, store.ErrStopping)
			require.NoError(t, k.Cancel())
			require.Empty(t, leftovers(t, dir))
			require.Equal(t, before, contents(t, s))
			require.ErrorIs(t, create(t, s, 30, 2).Put([]byte("a"), []byte("b")), store.ErrStopping)
			require.ErrorIs(t, create(t, s, 30, 2).Close(), store.ErrStopping)
			require.NoError(t, s.Healthy())
			require.NoError(t, s.Close())
			require.Equal(t, before, contents(t, mustOpen(t, dir)))
		})
	}
}

func TestSnapshot_CancelKeepsTheOldOne(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	snapshot(t, s, 5, map[string]string{"a": "1"})
	k := create(t, s, 6, 1)
	require.NoError(t, k.Put([]byte("a"), []byte("2")))
	require.NoError(t, k.Cancel())
	require.Error(t, k.Put([]byte("a"), []byte("3")))
	require.Equal(t, map[string]string{"a": "1"}, contents(t, s))
}

// A follower gets the whole file and ends with the same records.
func TestSnapshot_InstallsAWholeFile(t *testing.T) {
	dir := t.TempDir()
	leader, follower := mustOpen(t, t.TempDir()), mustOpen(t, dir)
	snapshot(t, follower, 3, map[string]string{"gone": "x"})
	snapshot(t, leader, 10, numbered(0, 3000, "v1"))
	snapshot(t, leader, 20, map[string]string{"key-000001": "new", "key-000002": ""})
	id := send(t, leader, follower)
	require.Equal(t, contents(t, leader), contents(t, follower))
	require.Empty(t, leftovers(t, dir))

	require.NoError(t, follower.Close())
	follower = mustOpen(t, dir)
	meta, r := openOnly(t, follower)
	records, err := store.RecordsOf(r)
	require.NoError(t, err)
	require.Equal(t, id, meta.ID)
	require.Equal(t, uint64(20), meta.Index)
	require.Equal(t, "digest at 20", string(records.Ledger().Digest), "the digest travels in the file")
	require.NoError(t, r.Close())
	snapshot(t, follower, 30, map[string]string{"key-000003": ""})
	require.Len(t, contents(t, follower), 2998)
}

// Read and WriteTo give the same bytes, as many as the meta promised.
func TestSnapshot_ReadEqualsWriteTo(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	snapshot(t, s, 10, numbered(0, 2000, "v"))
	meta, r := openOnly(t, s)
	var a, b bytes.Buffer
	_, err := r.(io.WriterTo).WriteTo(&a)
	require.NoError(t, err)
	_, err = io.Copy(&b, struct{ io.Reader }{r})
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close(), "closing twice")
	require.Equal(t, meta.Size, int64(a.Len()))
	require.Equal(t, a.Bytes(), b.Bytes())
	_, err = r.Read(make([]byte, 1))
	require.Error(t, err)
}

// A slow follower reads its version while newer snapshots are written, and while
// the file itself is replaced.
func TestSnapshot_ReadersKeepTheirVersion(t *testing.T) {
	dir := t.TempDir()
	s, other, target := mustOpen(t, dir), mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	first := numbered(0, 4000, "v1")
	snapshot(t, s, 10, first)
	meta, slow := openOnly(t, s)
	head := make([]byte, 10000)
	_, err := io.ReadFull(slow, head)
	require.NoError(t, err)

	for i := range 5 {
		snapshot(t, s, uint64(20+i), numbered(i*100, 6000, "later and longer, so that the file must grow"))
	}
	snapshot(t, other, 50, map[string]string{"other": "state"})
	send(t, other, s)
	require.Equal(t, map[string]string{"other": "state"}, contents(t, s))
	snapshot(t, s, 60, map[string]string{"other": "newer"})

	k := create(t, target, meta.Index, meta.Term)
	n, err := io.Copy(k, io.MultiReader(bytes.NewReader(head), slow))
	require.NoError(t, err)
	require.Equal(t, meta.Size, n)
	require.NoError(t, k.Close())
	require.Equal(t, first, contents(t, target))
	got, err := recordsOf(slow)
	require.NoError(t, err)
	require.Equal(t, first, got)
	require.NoError(t, slow.Close())
	require.Equal(t, map[string]string{"other": "newer"}, contents(t, s))
}

// A change set is never applied to a snapshot it was not made for: one that the
// leader installed in between.
func TestSnapshot_RefusesChangesForAnotherBase(t *testing.T) {
	s, leader := mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	base := snapshot(t, s, 10, map[string]string{"a": "1"})
	snapshot(t, leader, 100, map[string]string{"b": "1"})
	k := create(t, s, 20, 2)
	require.Equal(t, base, k.Base())
	require.NoError(t, k.Put([]byte("a"), []byte("2")))
	installed := send(t, leader, s)
	err := k.Close()
	require.Equal(t, store.KindStale, store.KindOf(err), err)

	k = create(t, s, 90, 2)
	require.Equal(t, installed, k.Base(), "the caller can tell, too")
	err = k.Close()
	require.Equal(t, store.KindStale, store.KindOf(err), "older than what is held")
	require.Equal(t, map[string]string{"b": "1"}, contents(t, s))
	require.NoError(t, s.Healthy(), "no fault of the disk")

	_, _, err = s.Snapshots().Open(base)
	require.Equal(t, store.KindStale, store.KindOf(err))
}

func TestSnapshot_ResetReplacesEverything(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	snapshot(t, s, 10, numbered(0, 100, "v"))
	k := create(t, s, 20, 2)
	require.NoError(t, k.Reset())
	require.NoError(t, k.Put([]byte("only"), []byte("one")))
	require.Error(t, k.Reset(), "after the first change")
	require.NoError(t, k.Close())
	require.Equal(t, map[string]string{"only": "one"}, contents(t, s))
	require.Empty(t, leftovers(t, dir))

	k = create(t, s, 30, 2)
	require.NoError(t, k.Reset())
	require.NoError(t, k.Close())
	require.Empty(t, contents(t, s))
}

// A change set larger than the memory set aside for it goes through a second
// file, in steps, with the same result.
func TestSnapshot_SpillsALargeChangeSet(t *testing.T) {
	dir := t.TempDir()
	s, err := store.OpenWithHooks(store.Options{Dir: dir}, store.TestHooks{Spill: 64 << 10})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	want := numbered(0, 5000, "v1")
	snapshot(t, s, 10, want)
	require.Equal(t, want, contents(t, s))

	changed := numbered(1000, 6000, "v2")
	changed["key-000001"] = ""
	snapshot(t, s, 20, changed)
	maps.Copy(want, changed)
	delete(want, "key-000001")
	require.Equal(t, want, contents(t, s))
	require.Equal(t, 5999, s.Stats().SnapshotRecords)
	require.Empty(t, leftovers(t, dir))

	// A key in several parts: the last word about it counts, as in memory.
	k := create(t, s, 25, 2)
	require.NoError(t, k.Put([]byte("key-000003"), []byte("first")))
	require.NoError(t, k.Put([]byte("key-000004"), []byte("first")))
	require.NoError(t, k.Delete([]byte("key-000005")))
	for key, value := range numbered(10, 4000, "v3") {
		require.NoError(t, k.Put([]byte(key), []byte(value)))
		want[key] = value
	}
	require.NoError(t, k.Put([]byte("key-000003"), []byte("last")))
	require.NoError(t, k.Delete([]byte("key-000004")))
	require.NoError(t, k.Put([]byte("key-000005"), []byte("last")))
	require.NoError(t, k.Close())
	want["key-000003"], want["key-000005"] = "last", "last"
	delete(want, "key-000004")
	require.Equal(t, want, contents(t, s))
	require.Equal(t, 5998, s.Stats().SnapshotRecords)

	k = create(t, s, 30, 2)
	for key, value := range numbered(0, 5000, "never") {
		require.NoError(t, k.Put([]byte(key), []byte(value)))
	}
	require.NoError(t, k.Cancel())
	require.Empty(t, leftovers(t, dir))
	require.Equal(t, want, contents(t, s))

	require.NoError(t, s.Close())
	require.Equal(t, want, contents(t, mustOpen(t, dir)))
}

func TestSnapshot_RefusesMixedUse(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	k := create(t, s, 5, 1)
	require.NoError(t, k.Put([]byte("a"), []byte("1")))
	_, err := k.Write([]byte("x"))
	require.Equal(t, store.KindInvalid, store.KindOf(err))
	require.NoError(t, k.Cancel())

	k = create(t, s, 5, 1)
	_, err = k.Write([]byte("x"))
	require.NoError(t, err)
	require.Equal(t, store.KindInvalid, store.KindOf(k.Put([]byte("a"), nil)))
	require.Equal(t, store.KindInvalid, store.KindOf(k.Reset()))
	require.NoError(t, k.Cancel())

	k = create(t, s, 5, 1)
	require.Equal(t, store.KindInvalid, store.KindOf(k.Put(nil, []byte("1"))))
	require.NoError(t, k.Cancel())
	require.NoError(t, s.Healthy())
}

// A copy that was damaged on the way, or is something else, is not installed and
// is no fault of this node's disk.
func TestSnapshot_RefusesABadFile(t *testing.T) {
	dir := t.TempDir()
	leader, s := mustOpen(t, t.TempDir()), mustOpen(t, dir)
	snapshot(t, s, 5, map[string]string{"a": "1"})
	snapshot(t, leader, 10, numbered(0, 2000, "v"))
	_, r := openOnly(t, leader)
	good, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	flipped := bytes.Clone(good)
	flipped[bytes.Index(good, []byte("v-1500"))] ^= 1
	for name, bad := range map[string][]byte{"flipped": flipped, "short": good[:len(good)-5000], "foreign": []byte("hello"), "empty": nil} {
		k := create(t, s, 10, 2)
		if bad != nil {
			_, err := k.Write(bad)
			require.NoError(t, err)
		}
		if name != "empty" {
			require.Equal(t, store.KindInvalid, store.KindOf(k.Close()), name)
		}
		require.NoError(t, k.Cancel())
	}
	require.Equal(t, map[string]string{"a": "1"}, contents(t, s))
	require.Empty(t, leftovers(t, dir))
	require.NoError(t, s.Healthy())
}
