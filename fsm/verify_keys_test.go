package fsm_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
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

// The work of a batch is bounded, not only its answer. The permissions of a key are gathered once. A permission that many roles grant
// counts for each role.
func TestVerifyKeys_BoundsTheWork(t *testing.T) {
	const keys, roles, permissions = 40, 100, 1000
	s := newLedgerOf(t, fsmtest.SecondRules) // later, a key cannot have so many
	refs, names := make([]fsm.PermissionRef, permissions), make([]string, roles)
	for i := range refs {
		refs[i] = fsm.PermissionRef{Slug: fmt.Sprint(i), ID: fmt.Sprintf("perm_%d", i)}
	}
	for i := range names {
		names[i] = fmt.Sprint("r", i)
		apply(t, s, &fsm.CreateRole{ID: "role_" + names[i], Name: names[i], Permissions: refs})
	}
	items := make([]fsm.Verification, keys)
	for i := range items {
		name := byte('A' + i)
		newKey(t, s, name, "", fsm.NewCredits{})
		apply(t, s, &fsm.LinkKeyRoles{KeyID: "key_" + string(name), Op: fsm.AddLinks, Roles: names})
		items[i].Command = &fsm.VerifyKey{Hash: fsm.Hash{name}}
	}
	served := func(r fsm.Result) int {
		results := r.(*fsm.Verdicts).Results
		at := slices.IndexFunc(results, func(r fsm.Result) bool { return reflect.DeepEqual(r, &fsm.Refusal{Code: fsm.AnswerTooLarge}) })
		require.Len(t, results[0].(*fsm.Verdict).Access.Permissions, permissions)
		return at
	}
	first := served(apply(t, s, &fsm.VerifyKeys{Items: items}))
	require.Equal(t, 11, first, "16 MiB of 1.6 MB for each")
	require.Equal(t, first, served(apply(t, s, &fsm.VerifyKeys{Items: items, Atomic: true})))
	verify := fsm.Call{Actor: root, Command: &fsm.VerifyKeys{Items: items[:first]}}
	apply(t, s, verify.Command) // dates them
	peeked, ok := s.Peek(&verify)
	require.True(t, ok)
	require.Equal(t, -1, served(peeked))
	require.Equal(t, peeked, apply(t, s, verify.Command))
	for i := range items { // a query that does not parse shows nothing, but is found where the permissions were gathered
		items[i].Command = &fsm.VerifyKey{Hash: fsm.Hash{byte('A' + i)}, Query: "("}
	}
	refused := apply(t, s, &fsm.VerifyKeys{Items: items}).(*fsm.Verdicts)
	require.Equal(t, fsm.QuerySyntax, refused.Results[first-1].(*fsm.Refusal).Code)
	require.Equal(t, fsm.AnswerTooLarge, refused.Results[first].(*fsm.Refusal).Code)

	for i := range items {
		items[i].Command = &fsm.VerifyKey{Hash: fsm.Hash{'A'}}
	}
	for _, atomic := range []bool{false, true} {
		answer := apply(t, s, &fsm.VerifyKeys{Items: items, Atomic: atomic})
		require.Equal(t, -1, served(answer))
		results := answer.(*fsm.Verdicts).Results
		require.Same(t, results[0].(*fsm.Verdict).Access, results[keys-1].(*fsm.Verdict).Access)
	}
}

// A batch is a read if no item changes anything. One change makes it an entry.
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

// The room for verdicts that nobody has seen yet covers them, and not much more.
func TestVerdictBytes_CoverWhatAVerdictShows(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", credits(5))
	newIdentity(t, s, "u", credits(5), fsm.IdentityPays)
	newKey(t, s, 'b', "u", fsm.NewCredits{})
	apply(t, s, &fsm.UpdateIdentity{Identity: "u", Meta: fsm.Set(`{"m":"` + strings.Repeat("i", 5000) + `"}`)})
	var refs []fsm.PermissionRef
	for i := range 1000 {
		slug := fmt.Sprintf("%0128d", i)
		refs = append(refs, fsm.PermissionRef{Slug: slug, ID: fmt.Sprint("perm_", i)})
	}
	require.Zero(t, code(apply(t, s, &fsm.UpdateKey{KeyID: "key_b", Permissions: fsm.Set(refs), Meta: fsm.Set(`{"m":"` + strings.Repeat("k", 3000) + `"}`)})))
	require.Zero(t, s.VerdictBytes([]fsm.Hash{{'z'}}), "there is no such key")
	require.Less(t, s.VerdictBytes([]fsm.Hash{{'a'}}), int64(64))
	v := verify(t, s, 'b', 1)
	shown := len(v.Meta) + len(v.Identity.Meta) + len(v.Identity.ExternalID)
	for _, slug := range v.Access.Permissions {
		shown += len(`,""`) + len(slug)
	}
	require.EqualValues(t, shown, s.VerdictBytes([]fsm.Hash{{'b'}}))
}
