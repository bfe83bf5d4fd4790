package fsm_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

const day = 86_400_000

// A duration from before counts as the longest that is allowed [D-35]. Its old windows end, some with each entry, and the same ones on a
// node that restarts meanwhile.
func TestWindow_DurationsFromBeforeAreBounded(t *testing.T) {
	s := newLedgerOf(t, fsmtest.SecondRules)
	advance(t, s, "2025-01-01")
	newKey(t, s, 'k', "", fsm.NewCredits{})
	require.Zero(t, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_k", Ratelimits: fsm.Set([]fsm.Ratelimit{
		{ID: "rl_1", Name: "own", Limit: 500, Duration: math.MaxInt64, AutoApply: true},
	})})))
	require.Zero(t, code(apply(t, s, takeTokens(1, "u"))))
	apply(t, s, &fsm.SetOverride{ID: "rlor_1", Namespace: "email", Identifier: "v", Limit: 5, Duration: math.MaxInt64})
	adHoc := func(n int) *fsm.VerifyKey {
		return &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Ratelimits: []fsm.RatelimitCheck{
			{Name: fmt.Sprint("limit ", n), Cost: 1, AdHoc: true, Limit: 5, Duration: math.MaxInt64 - int64(n)},
		}}
	}
	for n := range 200 {
		v := apply(t, s, adHoc(n)).(*fsm.Verdict)
		require.EqualValues(t, math.MaxInt64, v.Ratelimits[0].Duration, "the old rule")
	}
	require.Zero(t, code(apply(t, s, takeTokens(1, "v"))))
	require.Equal(t, 203, s.Stats().RatelimitWindows, "u, v, own, and the ad hoc ones")

	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.ThirdRules, Build: "v1.3.0"})
	again := restored(t, s)
	for n, left := range []int{203 - 64, 203 - 128, 203 - 192, 1, 1} {
		for _, node := range []*fsm.State{s, again} {
			node.Apply(fsm.Batch{Stamp: at(t, "2025-01-01") + int64(n) + 1})
			require.Equal(t, left, node.Stats().RatelimitWindows)
		}
		require.Equal(t, s.Digest(), again.Digest())
	}
	v := apply(t, s, adHoc(7)).(*fsm.Verdict)
	require.Equal(t, fsm.Valid, v.Code)
	durations := map[string]int64{}
	for _, r := range v.Ratelimits {
		durations[r.Name] = r.Duration
	}
	require.Equal(t, map[string]int64{"own": 366 * day, "limit 7": 30 * day}, durations)
	c := takeTokens(2, "w")
	c.Requests[0].Identifier, c.Requests[1].Duration = "v", math.MaxInt64
	r := apply(t, s, c).(*fsm.RatelimitResults)
	require.LessOrEqual(t, r.Requests[0].Reset, s.Clock()+366*day)
	require.LessOrEqual(t, r.Requests[1].Reset, s.Clock()+30*day)
	s.Apply(fsm.Batch{Stamp: s.Clock() + 60*day})
	require.Equal(t, 2, s.Stats().RatelimitWindows, "an ad hoc window does not outlive two of its durations")
}

// The windows of its rate limits go with a key and with an identity.
func TestWindow_GoesWithItsOwner(t *testing.T) {
	for version, left := range map[uint64][]int{fsmtest.SecondRules: {6, 6, 6}, fsmtest.ThirdRules: {4, 2, 0}} {
		s := newLedgerOf(t, version)
		advance(t, s, "2025-01-01")
		two := []fsm.Ratelimit{
			{ID: "rl_1", Name: "a", Limit: 5, Duration: 300 * day, AutoApply: true}, {ID: "rl_2", Name: "b", Limit: 5, Duration: 60_000, AutoApply: true},
		}
		shared := []fsm.Ratelimit{
			{ID: "rl_3", Name: "c", Limit: 5, Duration: 300 * day, AutoApply: true}, {ID: "rl_4", Name: "d", Limit: 5, Duration: 60_000, AutoApply: true},
		}
		for _, name := range []byte{'k', 'l'} {
			newKey(t, s, name, "u", fsm.NewCredits{})
			apply(t, s, &fsm.UpdateKey{KeyID: "key_" + string(name), Ratelimits: fsm.Set(two)})
		}
		apply(t, s, &fsm.UpdateIdentity{Identity: "u", Ratelimits: fsm.Set(shared)})
		verify(t, s, 'k', 1)
		verify(t, s, 'l', 1)
		require.Equal(t, 6, s.Stats().RatelimitWindows)
		for i, c := range []fsm.Command{
			&fsm.DeleteKey{KeyID: "key_k"}, &fsm.DeleteKey{KeyID: "key_l", Permanent: true}, &fsm.DeleteIdentity{Identity: "u"},
		} {
			require.Zero(t, code(apply(t, s, c)))
			require.Equal(t, left[i], s.Stats().RatelimitWindows, "%T, version %d", c, version)
		}
	}
}
