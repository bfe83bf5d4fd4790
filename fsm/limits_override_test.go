package fsm_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// withPatterns has the namespace rlns_1, "email", with so many overrides that search a text; their ids count from 0.
func withPatterns(t testing.TB, version uint64, patterns int) *fsm.State {
	t.Helper()
	s := newLedgerOf(t, version)
	require.Zero(t, code(apply(t, s, takeTokens(1, "u"))))
	for i := range patterns {
		require.Zero(t, code(setPattern(t, s, i)))
	}
	return s
}

func setPattern(t testing.TB, s *fsm.State, i int) fsm.Result {
	t.Helper()
	return apply(t, s, &fsm.SetOverride{
		ID: fmt.Sprintf("rlor_%03d", i), Namespace: "email", Identifier: fmt.Sprintf("*-%03d-*", i), Limit: int64(i), Duration: 1000,
	})
}

// takeTokens asks n times for a token of an identifier in the namespace "email".
func takeTokens(n int, identifier string) *fsm.ConsumeRatelimits {
	c := &fsm.ConsumeRatelimits{}
	for range n {
		c.Requests = append(c.Requests, fsm.RatelimitRequest{
			Namespace: "email", NamespaceID: "rlns_1", Identifier: identifier, Limit: 1000, Duration: 60_000, Cost: 1,
		})
	}
	return c
}

// A namespace has at most 100 patterns [D-32], also when two requests for the last place come at once. Exact overrides have no limit.
func TestSetOverride_BoundsThePatterns(t *testing.T) {
	s := withPatterns(t, fsmtest.ThirdRules, 99)
	two := fsm.Batch{Stamp: s.Clock()}
	for i := range 2 {
		two.Calls = append(two.Calls, fsm.Call{Actor: root, Command: &fsm.SetOverride{
			ID: fmt.Sprint("rlor_last", i), Namespace: "email", Identifier: fmt.Sprint("last", i, "*"), Duration: 1000,
		}})
	}
	before := s.Apply(two)
	require.Equal(t, []fsm.RefusalCode{0, fsm.InvalidInput}, []fsm.RefusalCode{code(before[0]), code(before[1])})
	require.Contains(t, before[1].(*fsm.Refusal).Detail, "identifier: the namespace has 100 overrides with a *")
	digest := s.Digest()
	require.Equal(t, fsm.InvalidInput, code(setPattern(t, s, 100)))
	require.Equal(t, digest.String(), s.Digest().String(), "a refusal changes nothing")

	require.Equal(t, &fsm.Created{ID: "rlor_007"}, setPattern(t, s, 7), "one that is there can change")
	for i := range 200 {
		require.Zero(t, code(apply(t, s, &fsm.SetOverride{ID: fmt.Sprint("rlor_e", i), Namespace: "email", Identifier: fmt.Sprint("e", i), Duration: 1000})))
	}
	require.Zero(t, code(apply(t, s, &fsm.DeleteOverride{Namespace: "email", Identifier: "*-007-*"})))
	require.Zero(t, code(setPattern(t, s, 100)), "a place is free again")
}

// A namespace that has more patterns from before keeps them all, and loses none of their meaning.
func TestSetOverride_KeepsThePatternsFromBefore(t *testing.T) {
	s := withPatterns(t, fsmtest.ThirdRules-1, 150)
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.ThirdRules, Build: "v1.3.0"})
	for _, i := range []int{0, 149} {
		r := apply(t, s, takeTokens(1, fmt.Sprintf("x-%03d-y", i))).(*fsm.RatelimitResults)
		require.Equal(t, fmt.Sprintf("rlor_%03d", i), r.Requests[0].OverrideID)
	}
	require.Equal(t, fsm.InvalidInput, code(setPattern(t, s, 150)))
	for i := range 51 {
		require.Zero(t, code(apply(t, s, &fsm.DeleteOverride{Namespace: "email", Identifier: fmt.Sprintf("*-%03d-*", i)})))
	}
	require.Zero(t, code(setPattern(t, s, 150)))
	require.Equal(t, fsm.InvalidInput, code(setPattern(t, s, 151)))
}

// One call compares at most a mebibyte of identifiers with patterns that search them [D-32]. One request alone always passes.
func TestConsumeRatelimits_BoundsWhatItCompares(t *testing.T) {
	s := withPatterns(t, fsmtest.ThirdRules, 100)
	long := strings.Repeat("x", 2048)
	for n, want := range map[int]fsm.RefusalCode{1: 0, 5: 0, 6: fsm.InvalidInput, 100: fsm.InvalidInput} {
		r := apply(t, s, takeTokens(n, long))
		require.Equal(t, want, code(r), "%d requests", n)
		peeked, ok := s.Peek(&fsm.Call{Actor: root, Command: takeTokens(n, long)})
		require.Equal(t, want != 0, ok)
		if ok {
			require.Equal(t, r, peeked)
			require.Contains(t, peeked.(*fsm.Refusal).Detail, "request 5:")
		}
	}
	require.Zero(t, code(apply(t, s, takeTokens(100, strings.Repeat("x", 100)))), "what people send")
	require.Zero(t, code(apply(t, withPatterns(t, fsmtest.ThirdRules-1, 100), takeTokens(100, long))), "the old rule")

	for i := range 100 { // those at the ends cost nothing
		apply(t, s, &fsm.DeleteOverride{Namespace: "email", Identifier: fmt.Sprintf("*-%03d-*", i)})
		apply(t, s, &fsm.SetOverride{ID: fmt.Sprint("rlor_a", i), Namespace: "email", Identifier: fmt.Sprintf("a-%03d*", i), Duration: 1000})
	}
	require.Zero(t, code(apply(t, s, takeTokens(100, long))))
}

// The most that one call compares: 100 identifiers that begin like every pattern and match none.
func BenchmarkPatterns(b *testing.B) {
	s := newLedger(b)
	apply(b, s, takeTokens(1, "u"))
	for i := range 100 {
		require.Zero(b, code(apply(b, s, &fsm.SetOverride{
			ID: fmt.Sprint("rlor_", i), Namespace: "email", Identifier: "*" + strings.Repeat("ab", 30) + fmt.Sprint(i) + "*", Duration: 1000,
		})))
	}
	c := takeTokens(100, strings.Repeat("ab", 52))
	call := fsm.Call{Actor: root, Command: c}
	for b.Loop() {
		require.Zero(b, code(s.Apply(fsm.Batch{Calls: []fsm.Call{call}})[0]))
	}
}
