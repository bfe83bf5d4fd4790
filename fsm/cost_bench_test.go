//go:build unix

package fsm_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// demandingLedger has n keys with a balance. The even ones have nothing else; the odd ones have 30 permissions of their own, 30 in
// three roles, and three rate limits.
func demandingLedger(b *testing.B, n int) *fsm.State {
	b.Helper()
	s := largeLedger(b, n)
	direct := make([]fsm.PermissionRef, 30)
	for i := range direct {
		direct[i] = fsm.PermissionRef{Slug: benchSlug(i), ID: fmt.Sprintf("perm_%02d", i)}
	}
	for r := range 3 {
		inherited := make([]string, 10)
		for i := range inherited {
			inherited[i] = benchSlug(30 + 10*r + i)
		}
		newRole(b, s, fmt.Sprintf("role_%d", r), fmt.Sprintf("role %d", r), inherited...)
	}
	for k := 1; k < n; k += 2 {
		r := s.Apply(fsm.Batch{Stamp: benchStart, Calls: []fsm.Call{{Actor: root, Command: &fsm.UpdateKey{
			KeyID: benchKeyID(k), Permissions: fsm.Set(direct), Roles: fsm.Set([]string{"role 0", "role 1", "role 2"}),
			Ratelimits: fsm.Set([]fsm.Ratelimit{
				{ID: "rl_1", Name: "second", Limit: 1 << 60, Duration: 1000, AutoApply: true},
				{ID: "rl_2", Name: "minute", Limit: 1 << 60, Duration: 60_000, AutoApply: true},
				{ID: "rl_3", Name: "month", Limit: 1 << 60, Duration: 2_592_000_000, AutoApply: true},
			}),
		}}}})
		require.Zero(b, code(r[0]))
	}
	return s
}

func benchSlug(n int) string { return fmt.Sprintf("resource_%02d.action", n) }

// benchQuery has 25 operands, all of which have to be looked up.
func benchQuery() string {
	var operands []string
	for i := range 25 {
		operands = append(operands, benchSlug(i*2))
	}
	return "(" + strings.Join(operands[:12], " AND ") + ") AND (" + strings.Join(operands[12:], " AND ") + ")"
}

// The cost of a debit with a permission query of 25 operands and three rate limits, beside one with neither, from the bytes of the log
// entry to the result. The two take turns, so that a busy machine slows both.
func BenchmarkVerifyWithEverything(b *testing.B) {
	const keys, calls, entries = 10_000, 1024, 32
	s := demandingLedger(b, keys)
	query := benchQuery()
	var logs [2][][]byte
	for kind := range logs {
		for e := range entries {
			batch := fsm.Batch{Calls: make([]fsm.Call, calls)}
			for i := range batch.Calls {
				c := &fsm.VerifyKey{Hash: benchHash((e*calls+i)*2%keys + kind), Cost: 1}
				if kind == 1 {
					c.Query = query
				}
				batch.Calls[i] = fsm.Call{Actor: root, Command: c}
			}
			logs[kind] = append(logs[kind], codec.AppendBatch(nil, batch))
		}
	}
	var took [2]time.Duration
	clock := int64(0)
	for b.Loop() {
		for kind, log := range logs {
			runtime.GC()
			start := cpuTime(b)
			for _, entry := range log {
				batch, err := codec.DecodeBatch(entry)
				if err != nil {
					b.Fatal(err)
				}
				clock++
				batch.Stamp = benchStart + clock
				results := s.Apply(batch)
				if v := results[0].(*fsm.Verdict); v.Code != fsm.Valid || len(v.Ratelimits) != 3*kind {
					b.Fatalf("%+v", v)
				}
			}
			runtime.GC() // what was left behind is part of the cost
			took[kind] += cpuTime(b) - start
		}
	}
	perCharge := func(kind int) float64 { return float64(took[kind].Nanoseconds()) / float64(b.N*calls*entries) }
	b.ReportMetric(perCharge(0), "ns/plain")
	b.ReportMetric(perCharge(1), "ns/demanding")
	b.ReportMetric(perCharge(1)/perCharge(0), "ratio")
}

// cpuTime is the time that the process has used of any core: a busy machine does not change it much.
func cpuTime(tb testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// manyRoles gives n keys the same 100 roles of 1000 permissions each. All roles have the same permissions, so each key has 1000 permissions
// out of 100,000.
func manyRoles(b *testing.B, keys int) *fsm.State {
	b.Helper()
	s := largeLedger(b, keys)
	slugs, names := make([]string, 1000), make([]string, 100)
	for i := range slugs {
		slugs[i] = fmt.Sprintf("resource_%03d.action", i)
	}
	for i := range names {
		names[i] = fmt.Sprintf("role %02d", i)
		newRole(b, s, fmt.Sprintf("role_%02d", i), names[i], slugs...)
	}
	for k := range keys {
		apply(b, s, &fsm.LinkKeyRoles{KeyID: benchKeyID(k), Op: fsm.AddLinks, Roles: names})
	}
	return s
}

// The cost of one verification of a key with permissions from many roles. Also of a batch that names one such key a thousand times, or a
// thousand such keys. Each holds up the log for as long.
func BenchmarkVerifyManyRoles(b *testing.B) {
	const keys = 1000
	s := manyRoles(b, keys)
	run := func(name string, c fsm.Command) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				s.Apply(fsm.Batch{Stamp: benchStart, Calls: []fsm.Call{{Actor: root, Command: c}}})
			}
		})
	}
	one, same, different := &fsm.VerifyKey{Hash: benchHash(0), Cost: 1}, &fsm.VerifyKeys{}, &fsm.VerifyKeys{}
	for k := range keys {
		same.Items = append(same.Items, fsm.Verification{Command: one})
		different.Items = append(different.Items, fsm.Verification{Command: &fsm.VerifyKey{Hash: benchHash(k), Cost: 1}})
	}
	run("one", one)
	run("batch of one key", same)
	run("batch of many keys", different)
}
