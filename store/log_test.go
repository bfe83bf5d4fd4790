package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

func entries(from, to, term uint64) []*raft.Log {
	var list []*raft.Log
	for i := from; i <= to; i++ {
		list = append(list, &raft.Log{Index: i, Term: term, Type: raft.LogCommand, Data: fmt.Appendf(nil, "entry %d", i), Extensions: []byte("x")})
	}
	return list
}

func requireLog(t *testing.T, l raft.LogStore, from, to uint64) {
	t.Helper()
	first, err := l.FirstIndex()
	require.NoError(t, err)
	last, err := l.LastIndex()
	require.NoError(t, err)
	require.Equal(t, []uint64{from, to}, []uint64{first, last})
	for i := from; i <= to && i > 0; i++ {
		var e raft.Log
		require.NoError(t, l.GetLog(i, &e))
		require.Equal(t, fmt.Sprintf("entry %d", i), string(e.Data))
	}
	for _, i := range []uint64{from - 1, to + 1} {
		var e raft.Log
		if err := l.GetLog(i, &e); err == nil { // the end of a snapshot
			require.Equal(t, raft.Log{Index: i, Term: e.Term, Type: raft.LogNoop}, e)
		} else {
			require.ErrorIs(t, err, raft.ErrLogNotFound)
		}
	}
}

// What raft expects of a log, for both kinds.
func TestLog_Contract(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir, withLog(kind))
			l := s.Log()
			requireLog(t, l, 0, 0)
			require.NoError(t, l.DeleteRange(1, 10), "an empty log")
			require.NoError(t, l.StoreLogs(entries(1, 5000, 2)))
			require.NoError(t, l.StoreLog(entries(5001, 5001, 2)[0]))
			requireLog(t, l, 1, 5001)
			require.NoError(t, l.DeleteRange(1, 100))
			requireLog(t, l, 101, 5001)
			snapshot(t, s, 101, nil) // or the missing start of the log is refused
			require.NoError(t, s.Close())

			s = mustOpen(t, dir)
			requireLog(t, s.Log(), 101, 5001)
			require.NoError(t, s.Log().DeleteRange(0, 1<<62))
			requireLog(t, s.Log(), 0, 0)
			require.NoError(t, s.Log().StoreLogs(entries(7000, 7001, 4)), "any index after all was removed")
			requireLog(t, s.Log(), 7000, 7001)
			require.NoError(t, s.Healthy())
		})
	}
}

// The checksum of an entry is on disk only: raft shares what it stores with its followers, and sends them what it reads.
func TestLog_GivesBackWhatWasStored(t *testing.T) {
	for _, kind := range kinds {
		s := mustOpen(t, t.TempDir(), withLog(kind))
		stored := []*raft.Log{
			{Index: 1, Term: 2, Type: raft.LogCommand, Data: []byte("data"), Extensions: []byte("extensions"), AppendedAt: time.Unix(1000, 5).UTC()},
			{Index: 2, Term: 2, Type: raft.LogConfiguration, Data: []byte("data")},
			{Index: 3, Term: 3, Type: raft.LogNoop},
		}
		var before []raft.Log
		for _, e := range stored {
			before = append(before, *e)
		}
		require.NoError(t, s.Log().StoreLogs(stored))
		for i, e := range stored {
			require.Equal(t, before[i], *e, "not touched")
			var read raft.Log
			require.NoError(t, s.Log().GetLog(e.Index, &read))
			require.True(t, e.AppendedAt.Equal(read.AppendedAt))
			read.AppendedAt = e.AppendedAt // its zone may differ
			require.Equal(t, before[i], read)
		}
	}
}

// A follower drops the end of its log when it conflicts with the leader's. What
// it kept and what came after must be there after a restart. raft-wal before
// v0.4.1 loses it (hashicorp/raft-wal #31).
func TestLog_TruncatedSuffixSurvivesRestart(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			s := mustOpen(t, dir, withLog(kind))
			require.NoError(t, s.Log().StoreLogs(entries(1, 5000, 1)))
			require.NoError(t, s.Log().DeleteRange(2000, 5000), "more than one step")
			requireLog(t, s.Log(), 1, 1999)
			require.NoError(t, s.Log().StoreLogs(entries(2000, 3000, 2)))
			require.NoError(t, s.Close())
			s = mustOpen(t, dir)
			requireLog(t, s.Log(), 1, 3000)
			require.NoError(t, s.Log().StoreLogs(entries(3001, 3010, 2)))
			requireLog(t, s.Log(), 1, 3010)
			require.NoError(t, s.Healthy())
		})
	}
}

// raft asks for this by type. If boltdb claimed it, raft would delete the whole
// log after each installed snapshot. If raft-wal did not claim it, raft would
// leave a gap.
func TestLog_OnlyWALIsMonotonic(t *testing.T) {
	_, bolt := mustOpen(t, t.TempDir(), withLog(store.LogBolt)).Log().(raft.MonotonicLogStore)
	require.False(t, bolt)
	wal, ok := mustOpen(t, t.TempDir(), withLog(store.LogWAL)).Log().(raft.MonotonicLogStore)
	require.True(t, ok && wal.IsMonotonic())
}

// A wal log that begins behind the snapshot answers for the snapshot's last entry. While it has older entries, raft.Restore is replacing
// them, and a leader that got the answer would send it to followers in place of the snapshot.
func TestLog_StandsInForTheEndOfTheSnapshot(t *testing.T) {
	s := mustOpen(t, t.TempDir(), withLog(store.LogWAL))
	require.NoError(t, s.Log().StoreLogs(entries(1, 40, 2)))
	snapshot(t, s, 50, nil)
	var e raft.Log
	require.ErrorIs(t, s.Log().GetLog(50, &e), raft.ErrLogNotFound)
	require.NoError(t, s.Log().DeleteRange(1, 40))
	require.NoError(t, s.Log().GetLog(50, &e))
	require.Equal(t, raft.Log{Index: 50, Term: 2, Type: raft.LogNoop}, e)
	require.ErrorIs(t, s.Log().GetLog(49, &e), raft.ErrLogNotFound)
	require.NoError(t, s.Log().StoreLogs(entries(51, 60, 2)))
	require.NoError(t, s.Log().GetLog(50, &e))
}

// See reconcile: a log that contradicts the snapshot is dropped at Open.
func TestOpen_ReconcilesLogAndSnapshot(t *testing.T) {
	for _, kind := range kinds {
		for name, c := range map[string]struct {
			from, to, term uint64 // the log; the snapshot is at index 50, term 2
			dropped        bool
		}{
			"agrees":         {from: 1, to: 80, term: 2},
			"follows":        {from: 51, to: 80, term: 2},
			"diverges":       {from: 1, to: 80, term: 1, dropped: true},
			"diverges there": {from: 1, to: 50, term: 3, dropped: true},
			"ends before":    {from: 1, to: 49, term: 1, dropped: kind == store.LogWAL},
		} {
			t.Run(string(kind)+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				s := mustOpen(t, dir, withLog(kind))
				snapshot(t, s, 50, map[string]string{"a": "1"})
				require.NoError(t, s.Log().StoreLogs(entries(c.from, c.to, c.term)))
				require.NoError(t, s.Close())
				s = mustOpen(t, dir)
				if c.dropped {
					requireLog(t, s.Log(), 0, 0)
				} else {
					requireLog(t, s.Log(), c.from, c.to)
				}
				require.Equal(t, map[string]string{"a": "1"}, contents(t, s))
			})
		}
	}
}

// raft would panic on the first entry it misses.
func TestOpen_RefusesAGapBehindTheSnapshot(t *testing.T) {
	for _, kind := range kinds {
		dir := t.TempDir()
		s := mustOpen(t, dir, withLog(kind))
		snapshot(t, s, 50, map[string]string{"a": "1"})
		require.NoError(t, s.Log().StoreLogs(entries(52, 60, 2)))
		require.NoError(t, s.Close())
		refuse(t, store.Options{Dir: dir}, store.KindMissing, filepath.Base(dir), "starts at index 52", "ends at 50")
	}
}

// After a crash at any write of a drop, the directory opens and the log is gone. The marker does not miss what was dropped. No log begins
// behind the snapshot, or has an end that contradicts it.
func TestOpen_DropsALogThroughCrashes(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			leader := mustOpen(t, t.TempDir())
			snapshot(t, leader, 3000, map[string]string{"a": "new"})
			dir := t.TempDir()
			s := mustOpen(t, dir, withLog(kind))
			require.NoError(t, s.Log().StoreLogs(entries(1, 6000, 1)))
			send(t, leader, s)
			require.NoError(t, s.Close())

			crashes := &crashingLog{t: t, dir: dir}
			s, err := store.OpenWithHooks(store.Options{Dir: dir}, store.TestHooks{Log: func(l raft.LogStore) raft.LogStore {
				crashes.LogStore = l
				return crashes
			}})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			require.GreaterOrEqual(t, len(crashes.copies), 2)
			for _, crashed := range crashes.copies {
				s := mustOpen(t, crashed)
				requireLog(t, s.Log(), 0, 0)
				require.NoError(t, s.Close())
			}
		})
	}
}

// crashingLog keeps the directory as a crash would leave it before and after each deletion.
type crashingLog struct {
	raft.LogStore
	t      *testing.T
	dir    string
	copies []string
}

func (l *crashingLog) crash() {
	copied := filepath.Join(l.t.TempDir(), "crashed")
	require.NoError(l.t, os.CopyFS(copied, os.DirFS(l.dir)))
	l.copies = append(l.copies, copied)
}

func (l *crashingLog) DeleteRange(from, to uint64) error {
	l.crash()
	err := l.LogStore.DeleteRange(from, to)
	l.crash()
	return err
}
