package fsm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A namespace that was deleted counts nothing more and shows nothing: contract 2.6. No command deletes one yet, but a snapshot
// may hold it.
func TestNamespace_GoneWhenDeleted(t *testing.T) {
	answers := func(deleted bool) (codes []RefusalCode) {
		list := oneOfEach()
		r := list[2].(*RootKeyRecord)
		r.Expires, r.Permissions = Never, AllPermissions()
		list[13].(*NamespaceRecord).Deleted = deleted
		s := loaded(t, list...)
		for _, name := range []string{"rlns_1", "n"} {
			limit := &ConsumeRatelimits{Requests: []RatelimitRequest{{Namespace: name, NamespaceID: "rlns_2", Identifier: "x", Limit: 1, Duration: 1000}}}
			calls := []Call{
				{Actor: r.Hash, Command: limit}, {Actor: r.Hash, Command: &SetOverride{ID: "rlor_2", Namespace: name, Identifier: "x", Duration: 1000}},
				{Actor: r.Hash, Command: &DeleteOverride{Namespace: name, Identifier: "x"}},
			}
			results := s.Apply(Batch{Calls: calls})
			results = append(results, s.Answer(r.Hash, &GetOverride{Namespace: name, Identifier: "a*"}))
			results = append(results, s.Answer(r.Hash, &ListOverrides{Namespace: name, Limit: 1}))
			for _, result := range results {
				code := RefusalCode(0)
				if refusal, ok := result.(*Refusal); ok {
					code = refusal.Code
				}
				codes = append(codes, code)
			}
		}
		return codes
	}
	require.Equal(t, make([]RefusalCode, 10), answers(false))
	missing := RatelimitNamespaceNotFound
	require.Equal(t, []RefusalCode{
		RatelimitNamespaceGone, missing, missing, missing, missing, RatelimitNamespaceGone, missing, missing, missing, missing,
	}, answers(true))
}

func matches(identifier, text string) bool {
	p := newPattern(&override{identifier: identifier})
	return p.matches(text)
}

// A * stands for any text, also none, and everything else for itself.
func TestMatches(t *testing.T) {
	for pattern, texts := range map[string][2][]string{
		"*":     {{"", "a", "a*b\n"}, {}},
		"a*":    {{"a", "ab", "a*"}, {"", "ba"}},
		"*a":    {{"a", "ba", "aba"}, {"ab"}},
		"a*a":   {{"aa", "aba", "aaa"}, {"a", "ab"}},
		"a*b*c": {{"abc", "abbc", "abcbc"}, {"acb", "ab", "abcd"}},
		"*ab*":  {{"ab", "aab", "abab"}, {"a", "ba"}},
		"a**b":  {{"ab", "acb"}, {"a"}},
		".*?":   {{".?", ".x?"}, {"x?"}},
	} {
		for _, text := range texts[0] {
			require.True(t, matches(pattern, text), "%q %q", pattern, text)
		}
		for _, text := range texts[1] {
			require.False(t, matches(pattern, text), "%q %q", pattern, text)
		}
	}
}

// An override that was deleted and made again under its id comes behind its removal in a snapshot.
func TestOverride_ComesBackUnderItsName(t *testing.T) {
	list := oneOfEach()
	r := list[2].(*RootKeyRecord)
	r.Expires, r.Permissions = Never, AllPermissions()
	s := loaded(t, list...)
	s.Freeze().Release(true)
	s.Apply(Batch{Calls: []Call{
		{Actor: r.Hash, Command: &DeleteOverride{Namespace: "n", Identifier: "a*"}},
		{Actor: r.Hash, Command: &SetOverride{ID: "rlor_1", Namespace: "n", Identifier: "b", Limit: 3, Duration: 1000}},
	}})
	f := s.Freeze()
	changes := f.Next(100, nil)
	require.Len(t, changes, f.Len)
	var seen []Record
	for _, c := range changes {
		if c.Name().Kind == OverrideKind {
			seen = append(seen, c.Record)
		}
	}
	require.Len(t, seen, 2)
	require.Nil(t, seen[0])
	require.Equal(t, "b", seen[1].(*OverrideRecord).Identifier)
}

// A name that came and went between two snapshots is only removed.
func TestFreeze_RemovesANameThatCameAndWent(t *testing.T) {
	list := oneOfEach()
	r := list[2].(*RootKeyRecord)
	r.Expires, r.Permissions = Never, AllPermissions()
	s := loaded(t, list...)
	s.Freeze().Release(true)
	remove := Call{Actor: r.Hash, Command: &DeleteOverride{Namespace: "n", Identifier: "a*"}}
	s.Apply(Batch{Calls: []Call{
		remove, {Actor: r.Hash, Command: &SetOverride{ID: "rlor_1", Namespace: "n", Identifier: "a*", Limit: 3, Duration: 1000}}, remove,
	}})
	f := s.Freeze()
	require.Len(t, f.captured, 1, "the ledger is held meanwhile, so a freeze looks at no record but the ledger's own")
	changes := f.Next(100, nil)
	require.Len(t, changes, f.Len)
	require.Contains(t, changes, Change{Removed: RecordKey{OverrideKind, "rlor_1"}})
	require.Len(t, changes, 2+1+3, "two removals, the ledger's own, and an audit entry of each command")
	require.Nil(t, changes[1].Record)
	for _, c := range changes[2:] {
		require.NotEqual(t, OverrideKind, c.Name().Kind)
	}
}
