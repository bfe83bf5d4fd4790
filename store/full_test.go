package store_test

import (
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// smallDisk mounts a file system of a few MiB, if it may.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("a full disk needs a mount, and this process may not mount one: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fillUp leaves no free byte, and returns what frees them again.
func fillUp(t *testing.T, dir string) (free func()) {
	t.Helper()
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	require.NoError(t, err)
	_, err = io.Copy(ballast, zeros{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, ballast.Close())
	return func() { require.NoError(t, os.Remove(ballast.Name())) }
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A snapshot that finds the disk full leaves the old one, keeps the node serving,
// and succeeds once there is space.
func TestFullDisk_SnapshotKeepsTheOldOne(t *testing.T) {
	disk := smallDisk(t, "size=12m")
	dir := filepath.Join(disk, "data")
	s := mustOpen(t, dir, func(o *store.Options) { o.OnFatal = func(err error) { t.Error(err) } })
	before := numbered(0, 1000, "v1")
	snapshot(t, s, 10, before)
	free := fillUp(t, disk)

	k := create(t, s, 20, 2)
	for key, value := range numbered(0, 20000, "v2") {
		require.NoError(t, k.Put([]byte(key), []byte(value)))
	}
	err := k.Close()
	require.Equal(t, store.KindFull, store.KindOf(err), err)
	require.Equal(t, before, contents(t, s))
	require.NoError(t, s.Healthy())

	leader := mustOpen(t, t.TempDir())
	snapshot(t, leader, 30, numbered(0, 20000, "v3"))
	meta, r := openOnly(t, leader)
	k = create(t, s, meta.Index, meta.Term)
	_, err = io.Copy(k, r)
	require.ErrorContains(t, err, "the disk is full")
	require.NoError(t, k.Cancel())
	require.NoError(t, r.Close())
	require.Empty(t, leftovers(t, dir))

	free()
	snapshot(t, s, 40, numbered(0, 2000, "v4"))
	require.Equal(t, numbered(0, 2000, "v4"), contents(t, s))
	require.NoError(t, s.Close())
	require.Equal(t, numbered(0, 2000, "v4"), contents(t, mustOpen(t, dir)))
}

// The log cannot go on without space: the node leaves, and says why at the next start.
func TestFullDisk_LogIsFatal(t *testing.T) {
	disk := smallDisk(t, "size=12m")
	dir := filepath.Join(disk, "data")
	reported := make(chan error, 1)
	s := mustOpen(t, dir, func(o *store.Options) { o.OnFatal = func(err error) { reported <- err } })
	require.NoError(t, s.Log().StoreLogs(entries(1, 10, 1)))
	free := fillUp(t, disk)
	big := make([]byte, 64<<10)
	var err error
	for i := uint64(11); err == nil && i < 1000; i++ {
		err = s.Log().StoreLog(&raft.Log{Index: i, Term: 1, Data: big})
	}
	require.Equal(t, store.KindFull, store.KindOf(err), err)
	require.Equal(t, store.KindFull, store.KindOf(<-reported))
	require.Error(t, s.Healthy())
	require.NoError(t, s.Close())
	refuse(t, store.Options{Dir: dir}, store.KindFull, "free some space")
	free()
	s = mustOpen(t, dir)
	var e raft.Log
	require.NoError(t, s.Log().GetLog(10, &e), "what was acknowledged is there")
}

// raft-wal only says that its segment is sealed. An operator must read that the disk is full, and how much is needed.
func TestFullDisk_ASegmentThatDoesNotFitIsNamed(t *testing.T) {
	disk := smallDisk(t, "size=100m")
	dir := filepath.Join(disk, "data")
	reported := make(chan error, 1)
	s := mustOpen(t, dir, withLog(store.LogWAL), func(o *store.Options) { o.OnFatal = func(err error) { reported <- err } })
	big := make([]byte, 4<<20)
	var err error
	for i := uint64(1); err == nil && i < 40; i++ {
		err = s.Log().StoreLog(&raft.Log{Index: i, Term: 1, Data: big})
	}
	require.Equal(t, store.KindFull, store.KindOf(err), err)
	require.ErrorContains(t, err, "the disk is full: the next segment of the log needs 64 MiB, and ")
	require.Equal(t, err.Error(), (<-reported).Error())
}

// With wal a reserve below two segments promises nothing: the segment that is needed next would not fit. The refusal writes nothing.
func TestReserve_HoldsTwoSegments(t *testing.T) {
	for name, test := range map[string]struct {
		kind    store.LogKind
		reserve uint64
		refused bool
	}{
		"wal, a byte too little":     {store.LogWAL, 128<<20 - 1, true},
		"wal, two segments":          {store.LogWAL, 128 << 20, false},
		"wal, turned off":            {store.LogWAL, 0, false},
		"the default, one segment":   {"", 64 << 20, true},
		"boltdb needs no such space": {store.LogBolt, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			o := store.Options{Dir: dir, LogStore: test.kind, ReserveBytes: test.reserve}
			if test.refused {
				refuse(t, o, store.KindInvalid, "at least 128 MiB", "0 turns the reserve off")
				require.NoDirExists(t, dir)
				return
			}
			s, err := store.Open(o)
			require.NoError(t, err)
			require.NoError(t, s.Close())
		})
	}
	// The kind of an existing directory counts.
	dir := t.TempDir()
	require.NoError(t, mustOpen(t, dir, withLog(store.LogWAL)).Close())
	refuse(t, store.Options{Dir: dir, ReserveBytes: 64 << 20}, store.KindInvalid, "64 MiB", "wal log")
}

// Changes must be refused before a write fails, and accepted again when space is free.
func TestFullDisk_IsReportedBeforeAWriteFails(t *testing.T) {
	disk := smallDisk(t, "size=12m")
	s := mustOpen(t, filepath.Join(disk, "data"), func(o *store.Options) {
		o.ReserveBytes = 6 << 20
		o.OnFatal = func(err error) { t.Error(err) }
	})
	require.NoError(t, s.DiskFull())
	ballast := filepath.Join(disk, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 8<<20), 0o600))
	await(t, "the reserve is noticed", func() bool { return s.DiskFull() != nil })
	require.Equal(t, store.KindFull, store.KindOf(s.DiskFull()))
	require.True(t, s.Stats().DiskFull)
	require.Less(t, s.Stats().FreeBytes, s.Stats().ReserveBytes)
	require.NoError(t, s.Log().StoreLogs(entries(1, 10, 1)), "the reserve is there to be used")
	require.NoError(t, os.Remove(ballast))
	await(t, "the free space is noticed", func() bool { return s.DiskFull() == nil })
}

// At the limit the state must not flap. A disk that cannot be measured counts as not full.
func TestFullDisk_MoreThanTheReserveMustBeFreeAgain(t *testing.T) {
	var free atomic.Uint64
	var fails atomic.Bool
	free.Store(1000 << 20)
	s := mustOpen(t, t.TempDir(), func(o *store.Options) {
		o.ReserveBytes = 800 << 20 // what an empty log can use again does not matter
		o.FreeBytes = func(string) (uint64, error) {
			if fails.Load() {
				return 0, syscall.EIO
			}
			return free.Load(), nil
		}
	})
	set := func(mebibytes uint64) {
		bytes := mebibytes << 20
		free.Store(bytes)
		await(t, "measured", func() bool { return s.Stats().FreeBytes == bytes })
	}
	for _, step := range []struct {
		free uint64
		full bool
	}{{800, false}, {799, true}, {850, true}, {899, true}, {900, false}, {850, false}} {
		set(step.free)
		await(t, "judged", func() bool { return (s.DiskFull() != nil) == step.full })
	}
	fails.Store(true)
	require.NoError(t, s.DiskFull())
}
