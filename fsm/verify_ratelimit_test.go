package fsm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

func named(name string) []fsm.RatelimitCheck { return []fsm.RatelimitCheck{{Name: name, Cost: 1}} }

// Tokens are taken although the credits deny, and credits are not touched when a rate limit denies: contract 3.3 and 3.4.
func TestRatelimits_ComeBeforeCredits(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", credits(1))
	advance(t, s, "2025-01-01")
	ask := &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 2, Ratelimits: []fsm.RatelimitCheck{
		{Name: "n", Cost: 1, AdHoc: true, Limit: 2, Duration: 60_000},
	}}
	for _, want := range []struct {
		outcome   fsm.VerdictCode
		remaining int64
	}{{fsm.UsageExceeded, 1}, {fsm.UsageExceeded, 0}, {fsm.RateLimited, 0}, {fsm.RateLimited, 0}} {
		v := apply(t, s, ask).(*fsm.Verdict)
		require.Equal(t, want.outcome, v.Code)
		require.Equal(t, want.remaining, v.Ratelimits[0].Remaining)
		require.EqualValues(t, 1, v.Credits)
	}
}

// A verification may name as many rate limits as a request holds: contract 3.6. All nodes wait while they are checked, so the time
// must not grow with the square of their number; it would be minutes.
func TestRatelimits_ManyInOneVerification(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Ratelimits: fsm.Set([]fsm.Ratelimit{
		{ID: "rl_1", Name: "named", Limit: 10, Duration: 60_000}, {ID: "rl_2", Name: "replaced", Limit: 10, Duration: 60_000, AutoApply: true},
	})})
	asks := []fsm.RatelimitCheck{{Name: "named", Cost: 1}, {Name: "replaced", Cost: 1}}
	const n = 200_000
	for i := range n {
		asks = append(asks, fsm.RatelimitCheck{Name: fmt.Sprint("limit ", i/2), Cost: int64(i % 2), AdHoc: true, Limit: 1, Duration: 60_000})
	}
	asks = append(asks, fsm.RatelimitCheck{Name: "named", Cost: 4}, fsm.RatelimitCheck{Name: "replaced", Cost: 2, AdHoc: true, Limit: 5, Duration: 60_000})
	began := time.Now()
	v := apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: asks}).(*fsm.Verdict)
	require.Less(t, time.Since(began), 20*time.Second)
	require.Equal(t, fsm.Valid, v.Code)
	require.Len(t, v.Ratelimits, n/2+2)
	left := map[string]int64{}
	for _, r := range v.Ratelimits {
		left[r.Name] = r.Remaining
	}
	require.EqualValues(t, 6, left["named"], "the last one counts")
	require.EqualValues(t, 3, left["replaced"], "the ad-hoc one holds")
	require.EqualValues(t, 0, left["limit 7"])
	require.Equal(t, fsm.PreconditionFailed, code(apply(t, s, &fsm.VerifyKey{
		Hash: fsm.Hash{'a'}, Ratelimits: append(asks, fsm.RatelimitCheck{Name: "unknown", Cost: 1}),
	})))
}

// What takes tokens goes through the log, for unlimited keys too; what a rate limit denies does not.
func TestRatelimits_PeekKeepsDenialsOutOfTheLog(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Ratelimits: fsm.Set([]fsm.Ratelimit{
		{ID: "rl_1", Name: "n", Limit: 1, Duration: 60_000, AutoApply: true},
	})})
	call := &fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}}
	_, ok := s.Peek(call)
	require.False(t, ok)
	require.Equal(t, fsm.Valid, verify(t, s, 'a', 1).Code)
	r, ok := s.Peek(call)
	require.True(t, ok)
	require.Equal(t, fsm.RateLimited, r.(*fsm.Verdict).Code)
	// Just looking changes nothing either.
	_, ok = s.Peek(&fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: []fsm.RatelimitCheck{
		{Name: "n", Cost: 0}, {Name: "other", Cost: 0, AdHoc: true, Limit: 1, Duration: 1000},
	}}})
	require.True(t, ok)
	r, ok = s.Peek(&fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Ratelimits: named("unknown")}})
	require.True(t, ok)
	require.Equal(t, fsm.PreconditionFailed, code(r))
}

// A name keeps its id through every replacement: contract 2.3.
func TestRatelimits_KeepTheirIDs(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", fsm.NewCredits{})
	set := func(list ...fsm.Ratelimit) []fsm.Ratelimit {
		apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Ratelimits: fsm.Set(list)})
		return getKey(t, s, "key_a").Ratelimits
	}
	r := func(id, name string, limit int64) fsm.Ratelimit {
		return fsm.Ratelimit{ID: id, Name: name, Limit: limit, Duration: 1000}
	}
	require.Equal(t, []fsm.Ratelimit{r("rl_2", "a", 2), r("rl_1", "b", 1)}, set(r("rl_1", "b", 1), r("rl_2", "a", 2)))
	require.Equal(t, []fsm.Ratelimit{r("rl_1", "b", 5)}, set(r("rl_3", "b", 4), r("rl_4", "b", 5)), "the later one counts")
	require.Empty(t, set())
	require.Equal(t, fsm.InvalidInput, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_a", Ratelimits: fsm.Set([]fsm.Ratelimit{r("rl_1", "b", 0)})})))
	newIdentity(t, s, "u", fsm.NewCredits{}, fsm.IdentityPays)
	refused := apply(t, s, &fsm.UpdateIdentity{Identity: "u", Ratelimits: fsm.Set([]fsm.Ratelimit{r("rl_1", "b", 1), r("rl_2", "b", 1)})})
	require.Equal(t, fsm.InvalidInput, code(refused))
	require.Contains(t, refused.(*fsm.Refusal).Detail, "'b'")
}

func BenchmarkApplyVerifyThreeLimits(b *testing.B) {
	const keys, calls = 10_000, 1024
	s := largeLedger(b, keys)
	for k := range keys {
		s.Apply(fsm.Batch{Stamp: benchStart, Calls: []fsm.Call{{Actor: root, Command: &fsm.UpdateKey{
			KeyID: benchKeyID(k), Ratelimits: fsm.Set([]fsm.Ratelimit{
				{ID: "rl_1", Name: "second", Limit: 1 << 60, Duration: 1000, AutoApply: true},
				{ID: "rl_2", Name: "minute", Limit: 1 << 60, Duration: 60_000, AutoApply: true},
				{ID: "rl_3", Name: "month", Limit: 1 << 60, Duration: 2_592_000_000, AutoApply: true},
			}),
		}}}})
	}
	batches := make([]fsm.Batch, 64)
	for i := range batches {
		batches[i] = verifications(calls, keys)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		batch := batches[i%len(batches)]
		batch.Stamp = benchStart + int64(i)
		s.Apply(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*calls), "ns/charge")
}
