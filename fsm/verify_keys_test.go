package fsm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// What one answer shows is bounded, however often a batch names a large key: what it has no room for is not charged.
func TestVerifyKeys_BoundsTheAnswer(t *testing.T) {
	const items = 40
	s := newLedger(t)
	newKey(t, s, 'k', "user", fsm.NewCredits{Limited: true, Remaining: 100})
	apply(t, s, &fsm.UpdateIdentity{Identity: "user", Meta: fsm.Set(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)})
	batch := slices.Repeat([]fsm.Verification{{Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}}}, items)

	answer := apply(t, s, &fsm.VerifyKeys{Items: batch}).(*fsm.Verdicts)
	served := slices.IndexFunc(answer.Results, func(r fsm.Result) bool { _, refused := r.(*fsm.Refusal); return refused })
	require.Equal(t, 16, served)
	for i, r := range answer.Results {
		if i < served {
			require.Equal(t, int64(99-i), r.(*fsm.Verdict).Credits)
		} else {
			require.Equal(t, &fsm.Refusal{Code: fsm.AnswerTooLarge}, r)
		}
	}
	before := s.Digest()
	atomic := apply(t, s, &fsm.VerifyKeys{Items: batch, Atomic: true}).(*fsm.Verdicts)
	require.False(t, atomic.Passed)
	require.Equal(t, answer.Results[served:], atomic.Results[served:])
	require.Equal(t, before, s.Digest())
	require.True(t, apply(t, s, &fsm.VerifyKeys{Items: batch[:served], Atomic: true}).(*fsm.Verdicts).Passed)
}

// A batch of which no item changes anything is a read; one change makes it an entry.
func TestVerifyKeys_Peek(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'k', "", fsm.NewCredits{Limited: true, Remaining: 1})
	item := func(name byte, cost int64) fsm.Verification {
		return fsm.Verification{Command: &fsm.VerifyKey{Hash: fsm.Hash{name}, Cost: cost}}
	}
	for _, test := range []struct {
		items   []fsm.Verification
		atomic  bool
		without bool // the log
	}{
		{[]fsm.Verification{item('k', 0), item('k', 2), item('x', 1)}, false, true},
		{[]fsm.Verification{item('k', 0), item('k', 1)}, false, false},
		{[]fsm.Verification{item('k', 1), item('k', 1)}, true, true},
		{[]fsm.Verification{item('k', 1), item('k', 0)}, true, false},
		{[]fsm.Verification{item('k', 0), item('k', 0)}, true, true},
	} {
		call := fsm.Call{Actor: root, Command: &fsm.VerifyKeys{Items: test.items, Atomic: test.atomic}}
		answer, ok := s.Peek(&call)
		require.Equal(t, test.without, ok)
		if ok {
			require.Equal(t, answer, apply(t, s, call.Command))
		}
	}
}

// Where the identity and the key both pay, a batch passes only as far as both cover it: contract 4.8.
func TestVerifyKeys_AtomicCountsBothPayers(t *testing.T) {
	s := newLedger(t)
	newIdentity(t, s, "user", fsm.NewCredits{Limited: true, Remaining: 5}, fsm.BothPay)
	newKey(t, s, 'a', "user", fsm.NewCredits{Limited: true, Remaining: 2})
	newKey(t, s, 'b', "user", fsm.NewCredits{Limited: true, Remaining: 9})
	pass := func(names string) bool {
		c := &fsm.VerifyKeys{Atomic: true}
		for _, name := range []byte(names) {
			c.Items = append(c.Items, fsm.Verification{Command: &fsm.VerifyKey{Hash: fsm.Hash{name}, Cost: 1}})
		}
		return apply(t, s, c).(*fsm.Verdicts).Passed
	}
	require.False(t, pass("aaa"), "the key covers two")
	require.False(t, pass("bbbbba"), "the identity covers five")
	require.True(t, pass("ababb"))
	require.False(t, pass("b"))
	require.Equal(t, int64(6), s.Answer(root, &fsm.GetKey{KeyID: "key_b"}).(*fsm.Key).Credits.Remaining)
}
