package fsm_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// benchStart is noon, so that no midnight comes in between.
var benchStart = time.Date(2025, time.January, 1, 12, 0, 0, 0, time.UTC).UnixMilli()

func benchHash(n int) (h fsm.Hash) {
	binary.LittleEndian.PutUint64(h[:], uint64(n)*0x9e3779b97f4a7c15+2)
	return h
}

// largeLedger has n keys with a balance of a million million each.
func largeLedger(b *testing.B, n int) *fsm.State {
	b.Helper()
	s := newLedger(b)
	for made := 0; made < n; {
		batch := fsm.Batch{Stamp: benchStart}
		for ; made < n && len(batch.Calls) < 1000; made++ {
			batch.Calls = append(batch.Calls, fsm.Call{Actor: root, Command: &fsm.CreateKey{
				ID: benchKeyID(made), Hash: benchHash(made), Start: "sk_3fTq", APIID: "api_1", Enabled: true,
				Expires: fsm.Never, Credits: credits(1_000_000_000_000),
			}})
		}
		for _, r := range s.Apply(batch) {
			require.Zero(b, code(r))
		}
	}
	return s
}

// verifications is a batch of n charges of random keys.
func verifications(n, keys int) fsm.Batch {
	batch := fsm.Batch{Stamp: benchStart, Calls: make([]fsm.Call, n)}
	for i := range batch.Calls {
		batch.Calls[i] = fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: benchHash(rand.IntN(keys)), Cost: 1}}
	}
	return batch
}

// An entry of 1024 charges over 100,000 keys, as the apply goroutine sees it. One op is one entry.
func BenchmarkApplyVerify(b *testing.B) {
	const keys, calls = 100_000, 1024
	s := largeLedger(b, keys)
	batches := make([]fsm.Batch, 64)
	for i := range batches {
		batches[i] = verifications(calls, keys)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		s.Apply(batches[i%len(batches)])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*calls), "ns/charge")
}

// The same entry with its decoding, as every node carries it out.
func BenchmarkDecodeAndApplyVerify(b *testing.B) {
	const keys, calls = 100_000, 1024
	s := largeLedger(b, keys)
	entries := make([][]byte, 64)
	for i := range entries {
		entries[i] = codec.AppendBatch(nil, verifications(calls, keys))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		batch, err := codec.DecodeBatch(entries[i%len(entries)])
		require.NoError(b, err)
		s.Apply(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*calls), "ns/charge")
}

// A snapshot of a million changed records. Freezing holds up Apply once; reading holds it up for each portion of 256.
func BenchmarkFreeze(b *testing.B) {
	const keys = 500_000 // each with a credit record
	s := largeLedger(b, keys)
	var freezing, portion time.Duration
	for range b.N {
		start := time.Now()
		f := s.Freeze()
		freezing += time.Since(start)
		for !f.Done() {
			start := time.Now()
			f.Next(256, nil)
			portion = max(portion, time.Since(start))
		}
		b.StopTimer()
		require.Greater(b, f.Len, 2*keys)
		f.Release(false)
		b.StartTimer()
	}
	b.ReportMetric(float64(freezing.Nanoseconds())/float64(b.N), "ns/freeze")
	b.ReportMetric(float64(portion.Microseconds()), "µs/longest-portion")
}

// What a million keys with a balance take in memory.
func BenchmarkMemoryPerKey(b *testing.B) {
	const keys = 1_000_000
	for range b.N {
		before := heap()
		s := largeLedger(b, keys)
		f := s.Freeze() // what a running node has: nothing dirty
		for !f.Done() {
			f.Next(10_000, nil)
		}
		f.Release(true)
		f = nil
		b.ReportMetric(float64(heap()-before)/keys, "bytes/key")
		runtime.KeepAlive(s)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// The cost of a verification that asks for 25 permissions, of a key with 30 of its own and 30 in three roles. Beside it, one that asks for
// none, and one of a key without permissions. One op is an entry of 1024 of them, at cost 0 so that nothing else weighs in.
func BenchmarkVerifyQuery(b *testing.B) {
	s := newLedger(b)
	slug := func(n int) string { return fmt.Sprintf("resource_%02d.action", n) }
	direct := make([]fsm.PermissionRef, 30)
	for i := range direct {
		direct[i] = fsm.PermissionRef{Slug: slug(i), ID: fmt.Sprintf("perm_%02d", i)}
	}
	for r := range 3 {
		inherited := make([]string, 10)
		for i := range inherited {
			inherited[i] = slug(30 + 10*r + i)
		}
		newRole(b, s, fmt.Sprintf("role_%d", r), fmt.Sprintf("role %d", r), inherited...)
	}
	newKey(b, s, 'a', "", fsm.NewCredits{})
	newKey(b, s, 'p', "", fsm.NewCredits{})
	require.Zero(b, code(apply(b, s, &fsm.UpdateKey{
		KeyID: "key_a", Permissions: fsm.Set(direct), Roles: fsm.Set([]string{"role 0", "role 1", "role 2"}),
	})))
	var operands []string
	for i := range 25 {
		operands = append(operands, slug(i*2))
	}
	query := "(" + strings.Join(operands[:12], " AND ") + ") AND (" + strings.Join(operands[12:], " AND ") + ")"
	for name, c := range map[string]*fsm.VerifyKey{
		"plain key": {Hash: fsm.Hash{'p'}}, "no query": {Hash: fsm.Hash{'a'}}, "25 operands": {Hash: fsm.Hash{'a'}, Query: query},
	} {
		b.Run(name, func(b *testing.B) {
			const calls = 1024
			batch := fsm.Batch{Stamp: benchStart, Calls: make([]fsm.Call, calls)}
			for i := range batch.Calls {
				batch.Calls[i] = fsm.Call{Actor: root, Command: c}
			}
			require.Equal(b, fsm.Valid, s.Apply(batch)[0].(*fsm.Verdict).Code)
			b.ReportAllocs()
			for b.Loop() {
				s.Apply(batch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*calls), "ns/verification")
		})
	}
}

func benchKeyID(n int) string { return fmt.Sprintf("key_%09d", n) }
