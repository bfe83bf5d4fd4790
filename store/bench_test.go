package store_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	raftbench "github.com/hashicorp/raft/bench"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// What one durable append costs: entries as the batcher makes them.
func BenchmarkStoreLogs(b *testing.B) {
	for _, kind := range kinds {
		for _, size := range []struct{ entries, bytes int }{{1, 256}, {1, 16 << 10}, {4, 16 << 10}, {64, 1 << 10}} {
			b.Run(fmt.Sprintf("%s/%dx%dB", kind, size.entries, size.bytes), func(b *testing.B) {
				s := mustOpen(b, b.TempDir(), withLog(kind))
				data := make([]byte, size.bytes)
				next := uint64(1)
				b.SetBytes(int64(size.entries * size.bytes))
				for b.Loop() {
					list := make([]*raft.Log, size.entries)
					for i := range list {
						list[i] = &raft.Log{Index: next, Term: 1, Data: data}
						next++
					}
					require.NoError(b, s.Log().StoreLogs(list))
				}
			})
		}
	}
}

// raft's own benchmarks of a log, where they do not ask for gaps or index 0.
func BenchmarkRaft(b *testing.B) {
	for _, kind := range kinds {
		for name, run := range map[string]func(*testing.B, raft.LogStore){
			"FirstIndex": raftbench.FirstIndex, "LastIndex": raftbench.LastIndex, "GetLog": raftbench.GetLog, "StoreLogs": raftbench.StoreLogs,
		} {
			b.Run(string(kind)+"/"+name, func(b *testing.B) { run(b, mustOpen(b, b.TempDir(), withLog(kind)).Log()) })
		}
		b.Run(string(kind)+"/SetUint64", func(b *testing.B) { raftbench.SetUint64(b, mustOpen(b, b.TempDir(), withLog(kind)).Stable()) })
	}
}

// The watchdog's own price, on the cheapest call there is.
func BenchmarkWatchdog(b *testing.B) {
	s := mustOpen(b, b.TempDir(), withLog(store.LogWAL))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = s.Log().LastIndex()
		}
	})
}

// What reading the log through adds to a start, for entries as the batcher makes them.
func BenchmarkOpenLog(b *testing.B) {
	const total = 100_000
	for _, kind := range kinds {
		b.Run(fmt.Sprintf("%s/%dx256B", kind, total), func(b *testing.B) {
			dir := b.TempDir()
			s := mustOpen(b, dir, withLog(kind))
			for from := uint64(1); from <= total; from += 1000 {
				list := make([]*raft.Log, 1000)
				for i := range list {
					list[i] = &raft.Log{Index: from + uint64(i), Term: 1, Data: make([]byte, 256)}
				}
				require.NoError(b, s.Log().StoreLogs(list))
			}
			require.NoError(b, s.Close())
			for b.Loop() {
				s, err := store.Open(store.Options{Dir: dir})
				require.NoError(b, err)
				require.NoError(b, s.Close())
			}
		})
	}
}

func benchKey(i uint64) []byte {
	// Spread like a hash, as the ledger's keys are.
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, i*0x9e3779b97f4a7c15), i)
}

// A snapshot of 1 % of a million records of 100 bytes, spread evenly over all, and
// reading all of them back.
func BenchmarkSnapshot(b *testing.B) {
	const total, changed = 1_000_000, 10_000
	dir := b.TempDir()
	s := mustOpen(b, dir)
	value := make([]byte, 84)
	index := uint64(1)
	k := create(b, s, index, 1)
	for i := range uint64(total) {
		require.NoError(b, k.Put(benchKey(i), value))
	}
	require.NoError(b, k.Close())
	b.Logf("first snapshot of %d records: %v, %d MB", total, s.Stats().SnapshotDuration, s.Stats().StateBytes>>20)
	b.Run("1pct-of-1M", func(b *testing.B) {
		for b.Loop() {
			index++
			k := create(b, s, index, 1)
			for range changed {
				binary.BigEndian.PutUint64(value, rand.Uint64())
				require.NoError(b, k.Put(benchKey(rand.Uint64N(total)), value))
			}
			require.NoError(b, k.Close())
		}
		b.ReportMetric(float64(s.Stats().StateBytes>>20), "MB-file")
	})
	b.Run("load-1M", func(b *testing.B) {
		for b.Loop() {
			_, r := openOnly(b, s)
			records, err := store.RecordsOf(r)
			require.NoError(b, err)
			require.NoError(b, records.Records(func(_, _ []byte) error { return nil }))
			require.NoError(b, r.Close())
		}
	})
	require.NoError(b, s.Close())
	b.Run("open-1M", func(b *testing.B) {
		for b.Loop() {
			s, err := store.Open(store.Options{Dir: dir})
			require.NoError(b, err)
			require.NoError(b, s.Close())
		}
	})
}

// What writes to the log wait for while a snapshot of many changes is written, which rests four times as long as it works.
func BenchmarkStoreLogsBesideSnapshots(b *testing.B) {
	const total, changed = 300_000, 20_000
	s := mustOpen(b, b.TempDir(), withLog(store.LogWAL))
	value := make([]byte, 84)
	index := uint64(1)
	take := func(keys int, pick func(i uint64) uint64) {
		index++
		k := create(b, s, index, 1)
		ended := time.Now()
		k.Pace(func() {
			<-time.After(4 * time.Since(ended))
			ended = time.Now()
		})
		for i := range uint64(keys) {
			binary.BigEndian.PutUint64(value, rand.Uint64())
			require.NoError(b, k.Put(benchKey(pick(i)), value))
		}
		require.NoError(b, k.Close())
	}
	take(total, func(i uint64) uint64 { return i })
	var ended atomic.Bool
	var snapshots sync.WaitGroup
	snapshots.Go(func() {
		for !ended.Load() {
			take(changed, func(uint64) uint64 { return rand.Uint64N(total) })
		}
	})
	var took []time.Duration
	next := uint64(0)
	for b.Loop() {
		next++
		began := time.Now()
		require.NoError(b, s.Log().StoreLogs([]*raft.Log{{Index: next, Term: 1, Data: value}}))
		took = append(took, time.Since(began))
	}
	ended.Store(true)
	snapshots.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(took[len(took)*999/1000].Microseconds()), "p99.9-µs")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "slowest-µs")
}
