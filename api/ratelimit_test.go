package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// namespaceID is the id of a namespace. No endpoint shows it, but a refusal names the permission that would do.
func (s *server) namespaceID(name string) string {
	s.t.Helper()
	re := s.grant().post("ratelimit.limit", ask(name, "i", 1, 0)).fails(403, forbidden)
	id := regexp.MustCompile(`ratelimit\.(rlns_[a-zA-Z0-9]{16})\.limit`).FindStringSubmatch(re.Error.Detail)
	require.Len(s.t, id, 2, re.text)
	return id[1]
}

// ask is a request for tokens.
func ask(namespace, identifier string, limit, cost int64) string {
	return fmt.Sprintf(`{"namespace":%q,"identifier":%q,"limit":%d,"duration":60000,"cost":%d}`, namespace, identifier, limit, cost)
}

// minute is the end of the fixed minute that startTime is in.
const minute = startTime - startTime%60_000 + 60_000

// ratelimit.limit: docs/contract.md 2.6.
func TestLimit(t *testing.T) {
	s := newServer(t)
	for _, want := range []string{`"success":true,"limit":2,"remaining":1`, `"success":true,"limit":2,"remaining":0`, `"success":false,"limit":2,"remaining":0`} {
		require.JSONEq(t, fmt.Sprintf(`{%s,"reset":%d}`, want, minute),
			s.must("ratelimit.limit", `{"namespace":"email","identifier":"u","limit":2,"duration":60000}`))
	}
	require.Contains(t, s.must("ratelimit.limit", ask("email", "u", 5, 0)), `"remaining":3`, "another limit, the same count")
	require.Contains(t, s.must("ratelimit.limit", ask("email", "other", 2, 2)), `"success":true`)
	require.Contains(t, s.must("ratelimit.limit", ask("sms", "u", 2, 2)), `"success":true`)
	require.Contains(t, s.must("ratelimit.limit", `{"namespace":"email","identifier":"u","limit":2,"duration":60001}`), `"success":true`)
	require.Contains(t, s.must("ratelimit.limit", ask(s.namespaceID("email"), "u", 2, 1)), `"success":false`, "a namespace by its id")
	require.Contains(t, s.foreign().must("ratelimit.limit", ask("email", "u", 2, 1)), `"success":true`)

	s.now = minute + 30_000
	require.Contains(t, s.must("ratelimit.limit", ask("email", "u", 2, 0)), `"remaining":1`, "half of the window before")
	for _, name := range []string{"x", "ünï 世界 🎉 /\\\"<>&*?", strings.Repeat("x", 512)} {
		s.must("ratelimit.limit", ask(name, name, 1, 1))
	}
}

// A namespace is made on its first use: docs/contract.md 2.6.
func TestLimit_MakesTheNamespace(t *testing.T) {
	s := newServer(t)
	only := s.grant("ratelimit.*.limit")
	re := only.post("ratelimit.limit", ask("email", "u", 1, 1)).fails(403, forbidden)
	require.Contains(t, re.Error.Detail, "ratelimit.*.create_namespace")
	s.grant("ratelimit.*.create_namespace").post("ratelimit.limit", ask("email", "u", 1, 1)).fails(403, forbidden)
	only.post("ratelimit.limit", ask("email", "u", 1, 1)).fails(403, forbidden) // nothing was made

	both := s.grant("ratelimit.*.limit", "ratelimit.*.create_namespace")
	require.Contains(t, both.must("ratelimit.limit", ask("email", "u", 1, 2)), `"success":false`)
	require.Contains(t, only.must("ratelimit.limit", ask("email", "u", 1, 1)), `"success":true`, "made although it denied")

	s.result = &fsm.Refusal{Code: fsm.RatelimitNamespaceGone}
	s.post("ratelimit.limit", ask("email", "u", 1, 1)).fails(410, "unkey/data/ratelimit_namespace_gone")
	s.post("ratelimit.multiLimit", "["+ask("email", "u", 1, 1)+"]").fails(410, "unkey/data/ratelimit_namespace_gone")
}

func TestLimit_Refuses(t *testing.T) {
	s := newServer(t)
	long := strings.Repeat("x", 513)
	for _, change := range []string{
		`"namespace":""`, `"namespace":null`, `"namespace":"` + long + `"`, `"identifier":""`, `"identifier":"` + long + `"`, `"limit":0`,
		`"duration":999`, `"duration":2592000001`, `"cost":-1`, `"cost":1.5`, `"unheardOf":1`,
	} {
		body := `{"namespace":"a","identifier":"u","limit":1,"duration":1000,` + change + `}`
		s.post("ratelimit.limit", body).fails(400, invalidInput)
		s.post("ratelimit.multiLimit", "["+body+"]").fails(400, invalidInput)
	}
	for _, missing := range []string{"namespace", "identifier", "limit", "duration"} {
		s.post("ratelimit.limit", strings.Replace(ask("a", "u", 1, 1), missing, "unheardOf", 1)).fails(400, invalidInput)
	}
	one := ask("a", "u", 1, 0)
	for _, body := range []string{`[]`, `{}`, one, `[` + strings.Repeat(one+",", 100) + one + `]`} {
		s.post("ratelimit.multiLimit", body).fails(400, invalidInput)
	}
	s.must("ratelimit.multiLimit", `[`+strings.Repeat(one+",", 99)+one+`]`)
}

type multi struct {
	Passed bool
	Limits []struct {
		Namespace, Identifier, OverrideID string
		Limit, Remaining, Reset           int64
		Passed                            bool
	}
}

func (s *server) multi(requests ...string) (m multi) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.must("ratelimit.multiLimit", "["+strings.Join(requests, ",")+"]")), &m))
	require.Len(s.t, m.Limits, len(requests))
	return m
}

// ratelimit.multiLimit takes all tokens or none: docs/contract.md 2.6.
func TestMultiLimit(t *testing.T) {
	s := newServer(t)
	s.must("ratelimit.limit", ask("email", "b", 2, 2))
	three := []string{ask("email", "a", 5, 3), ask("email", "b", 2, 1), ask("sms", "c", 7, 1)}
	for range 2 {
		m := s.multi(three...)
		require.False(t, m.Passed)
		var passed []bool
		var remaining []int64
		for i, l := range m.Limits {
			passed, remaining = append(passed, l.Passed), append(remaining, l.Remaining)
			require.Contains(t, three[i], fmt.Sprintf(`"namespace":%q,"identifier":%q`, l.Namespace, l.Identifier))
			require.EqualValues(t, minute, l.Reset)
		}
		require.Equal(t, []bool{true, false, true}, passed)
		require.Equal(t, []int64{5, 0, 7}, remaining, "nothing was taken")
	}
	m := s.multi(three[0], three[2])
	require.True(t, m.Passed)
	require.EqualValues(t, 2, m.Limits[0].Remaining)

	// Requests for one window see each other.
	m = s.multi(ask("email", "d", 3, 2), ask("email", "d", 3, 2))
	require.False(t, m.Passed)
	require.True(t, m.Limits[0].Passed)
	require.EqualValues(t, 3, m.Limits[0].Remaining)
	m = s.multi(ask("email", "d", 4, 2), ask("email", "d", 4, 2))
	require.True(t, m.Passed)
	require.EqualValues(t, 0, m.Limits[1].Remaining)

	// The permission on every namespace.
	one := s.grant("ratelimit." + s.namespaceID("email") + ".limit")
	one.must("ratelimit.multiLimit", "["+three[0]+"]")
	one.post("ratelimit.multiLimit", "["+three[0]+","+three[2]+"]").fails(403, forbidden)
}

// Overrides replace limit and duration: docs/contract.md 2.6.
func TestOverrides_Apply(t *testing.T) {
	s := newServer(t)
	s.post("ratelimit.setOverride", `{"namespace":"email","identifier":"u","limit":1,"duration":1000}`).fails(404, namespaceMissing)
	s.must("ratelimit.limit", ask("email", "premium", 1, 0))
	set := func(identifier string, limit int64) string {
		return s.get("overrideId", "ratelimit.setOverride", fmt.Sprintf(`{"namespace":"email","identifier":%q,"limit":%d,"duration":120000}`, identifier, limit))
	}
	wide, exact := set("p*", 200), ""
	for _, want := range []string{`"success":true,"limit":200,"remaining":199`, `"success":true,"limit":200,"remaining":198`} {
		require.JSONEq(t, fmt.Sprintf(`{%s,"reset":%d,"overrideId":%q}`, want, startTime-startTime%120_000+120_000, wide),
			s.must("ratelimit.limit", ask("email", "premium", 1, 1)))
	}
	require.NotContains(t, s.must("ratelimit.limit", ask("email", "xp", 1, 1)), "overrideId")
	exact = set("premium", 5)
	require.Contains(t, s.must("ratelimit.limit", ask("email", "premium", 1, 1)), `"remaining":2,`, "the exact one first")
	require.Equal(t, exact, set("premium", 0), "the same identifier is the same override")
	require.Regexp(t, `^rlor_[a-zA-Z0-9]{16}$`, exact)
	for _, cost := range []int64{0, 1} { // D-12
		require.Contains(t, s.must("ratelimit.limit", ask("email", "premium", 9, cost)), `"success":false,"limit":0,"remaining":0`)
	}
	m := s.multi(ask("email", "premium", 9, 1), ask("email", "px", 9, 1))
	require.False(t, m.Passed)
	require.Equal(t, []string{exact, wide}, []string{m.Limits[0].OverrideID, m.Limits[1].OverrideID})

	// Of the patterns the longest that matches.
	for _, test := range []struct{ pattern, matches, not string }{
		{"lo*er", "longer", "longest"}, {"*@example.com", "a@example.com", "a@example.org"}, {"a*b*c", "a-b-b-c", "a-c-b"}, {"**", "anything else", ""},
	} {
		id := set(test.pattern, 10)
		require.Contains(t, s.must("ratelimit.limit", ask("email", test.matches, 1, 1)), id)
		if test.not != "" {
			require.NotContains(t, s.must("ratelimit.limit", ask("email", test.not, 1, 1)), id)
		}
	}
}

// ratelimit.getOverride and deleteOverride: docs/contract.md 2.6.
func TestOverrides_GetAndDelete(t *testing.T) {
	s := newServer(t)
	s.must("ratelimit.limit", ask("email", "u", 1, 0))
	const literal, pattern = `{"namespace":"email","identifier":"abc"}`, `{"namespace":"email","identifier":"a*"}`
	s.post("ratelimit.getOverride", literal).fails(404, overrideMissing)
	id := s.get("overrideId", "ratelimit.setOverride", `{"namespace":"email","identifier":"a*","limit":0,"duration":1000}`)
	want := fmt.Sprintf(`{"overrideId":%q,"identifier":"a*","limit":0,"duration":1000}`, id)
	require.JSONEq(t, want, s.must("ratelimit.getOverride", literal))
	require.JSONEq(t, want, s.must("ratelimit.getOverride", pattern))
	require.JSONEq(t, want, s.must("ratelimit.getOverride", strings.Replace(pattern, "email", s.namespaceID("email"), 1)))
	hidden := s.grant("ratelimit.*.limit").post("ratelimit.getOverride", literal).fails(404, overrideMissing)

	s.post("ratelimit.deleteOverride", literal).fails(404, overrideMissing)
	require.Equal(t, `{}`, s.must("ratelimit.deleteOverride", pattern))
	s.post("ratelimit.deleteOverride", pattern).fails(404, overrideMissing)
	genuine := s.post("ratelimit.getOverride", literal).fails(404, overrideMissing)
	require.Equal(t, genuine.anonymous(), hidden.anonymous())
	require.NotContains(t, s.must("ratelimit.limit", ask("email", "abc", 1, 0)), "overrideId")

	for _, endpoint := range []string{"ratelimit.getOverride", "ratelimit.deleteOverride", "ratelimit.listOverrides"} {
		s.post(endpoint, `{"namespace":"","identifier":"x"}`).fails(400, invalidInput)
		s.post(endpoint, `{"namespace":"email","unheardOf":"x"}`).fails(400, invalidInput)
	}
	s.post("ratelimit.getOverride", `{"namespace":"none","identifier":"x"}`).fails(404, namespaceMissing)
	s.grant("nothing").post("ratelimit.listOverrides", `{"namespace":"none"}`).fails(404, namespaceMissing)
	for _, change := range []string{`"limit":-1`, `"duration":999`, `"identifier":""`, `"limit":null`} {
		s.post("ratelimit.setOverride", `{"namespace":"email","identifier":"x","limit":1,"duration":1000,`+change+`}`).fails(400, invalidInput)
	}
}

// Pages go by id, and the cursor is the first id of the next one: docs/contract.md 1.14.
func TestListOverrides(t *testing.T) {
	s := newServer(t)
	s.must("ratelimit.limit", ask("email", "u", 1, 0))
	list := func(fields string) (ids []string, cursor string) {
		re := s.post("ratelimit.listOverrides", `{"namespace":"email"`+fields+`}`)
		var items []struct{ OverrideID, Identifier string }
		require.NoError(t, json.Unmarshal([]byte(re.ok()), &items))
		for _, o := range items {
			ids = append(ids, o.OverrideID)
		}
		require.Equal(t, re.Pagination.Cursor != nil, re.Pagination.HasMore)
		if re.Pagination.HasMore {
			cursor = *re.Pagination.Cursor
		}
		return ids, cursor
	}
	require.Equal(t, `{"meta":{"requestId":"req"},"data":[],"pagination":{"hasMore":false}}`,
		s.post("ratelimit.listOverrides", `{"namespace":"email"}`).anonymous())
	for i := range 60 {
		s.must("ratelimit.setOverride", fmt.Sprintf(`{"namespace":"email","identifier":"u%d","limit":1,"duration":1000}`, i))
	}
	all, cursor := list(`,"limit":100`)
	require.Len(t, all, 60)
	require.Empty(t, cursor)
	require.IsIncreasing(t, all)

	first, cursor := list(``)
	require.Equal(t, all[:50], first)
	require.Equal(t, all[50], cursor)
	rest, cursor := list(fmt.Sprintf(`,"cursor":%q,"limit":10`, cursor))
	require.Equal(t, all[50:], rest)
	require.Empty(t, cursor)
	beyond, _ := list(`,"cursor":"~"`)
	require.Empty(t, beyond)
	for _, fields := range []string{`,"limit":0`, `,"limit":101`, `,"cursor":null`} {
		s.post("ratelimit.listOverrides", `{"namespace":"email"`+fields+`}`).fails(400, invalidInput)
	}
}
