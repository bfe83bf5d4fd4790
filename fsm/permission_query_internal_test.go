package fsm

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// holding evaluates a query for a key that has these slugs.
func holding(slugs ...string) func(string) (bool, *Refusal) {
	return func(query string) (bool, *Refusal) {
		return evaluate(query, func(operand string) bool { return slices.Contains(slugs, operand) })
	}
}

// Contract 3.5: AND binds tighter, keywords are whole words in any case, slugs match letter for letter.
func TestQuery_Evaluates(t *testing.T) {
	ask := holding("a", "b", "api.*", "x_y-z:1/2", "ANDROID", "band", "Mixed")
	for query, want := range map[string]bool{
		"a": true, "c": false, "a AND b": true, "a AND c": false, "c OR b": true, "c OR d": false,
		"a OR c AND d": true, "(a OR c) AND d": false, "c AND d OR a": true, "c AND (d OR a)": false, "a AND b OR c AND d": true,
		"a and b": true, "a aNd c oR b": true, "((a))": true, "(a)AND(b)": true, "\t a \r\n AND\nb ": true,
		"api.*": true, "api.read": false, "api.* OR api.edit": true, "x_y-z:1/2": true, "ANDROID AND band": true, "ORacle": false,
		"mixed": false, "Mixed": true, "A": false,
	} {
		got, refusal := ask(query)
		require.Nil(t, refusal, query)
		require.Equal(t, want, got, query)
	}
}

// What a query may not look like, and where it says so, counted from 0: contract 3.5 and row 129 of section 5.
func TestQuery_SaysWhereItIsWrong(t *testing.T) {
	position := regexp.MustCompile(`at position (\d+)`)
	for query, want := range map[string]string{
		"": "", "  \t": "", "permission_1 AND": "", "a OR ": "", "(": "", "(a AND": "",
		"(permission_1 AND permission_2": "30", "permission_1 AND ()": "18", "AND permission_1": "0", "(a": "2", "(a  ": "4", "((a)": "4",
		"a b": "2", "a (b)": "2", "(a b)": "3", "a)": "1", ")": "0", "()": "1", "a OR AND b": "5", "or": "0", "(OR a)": "1",
		"a & b": "2", "a AND b!": "7", "größe": "2", "\x00": "0", "a\v": "1", "a AND b c $": "8", "$ AND": "0",
	} {
		for _, ask := range []func(string) (bool, *Refusal){holding(), holding("a", "b", "permission_1", "permission_2")} {
			value, refusal := ask(query)
			require.False(t, value)
			require.NotNil(t, refusal, query)
			require.Equal(t, QuerySyntax, refusal.Code)
			got := ""
			if m := position.FindStringSubmatch(refusal.Detail); m != nil {
				got = m[1]
			}
			require.Equal(t, want, got, "%q: %s", query, refusal.Detail)
		}
	}
}

// The longest query that a request may hold, nested as deeply as possible.
func TestQuery_OfTheLargestDepth(t *testing.T) {
	deep := strings.Repeat("(", 499) + "a" + strings.Repeat(")", 499)
	value, refusal := holding("a")(deep)
	require.Nil(t, refusal)
	require.True(t, value)
	_, refusal = holding("a")(deep[:900])
	require.Contains(t, refusal.Detail, "position 900")
}

// FuzzQuery compares the parser with one that does it the long way: cut into words first, then rewrite until nothing is left.
func FuzzQuery(f *testing.F) {
	for _, query := range []string{"a", "a AND b", "a OR (b and c)", "(a", "a b", "()", "a AND", "$", "((b) OR a) AND a.*"} {
		f.Add(query)
	}
	ask := holding("a", "b", "a.*")
	f.Fuzz(func(t *testing.T, query string) {
		value, refusal := ask(query)
		want, valid := rewritten(query, "a", "b", "a.*")
		require.Equal(t, valid, refusal == nil, "%q: %v", query, refusal)
		require.Equal(t, want && valid, value, query)
	})
}

var queryWords = regexp.MustCompile(`[A-Za-z0-9._*:/-]+|[^ \t\r\n]`)

// rewritten turns slugs into T and F and then rewrites the rules of the grammar from the inside until one letter is left.
func rewritten(query string, slugs ...string) (value, valid bool) {
	var b strings.Builder
	for _, word := range queryWords.FindAllString(query, -1) {
		switch {
		case strings.EqualFold(word, "and"):
			b.WriteByte('&')
		case strings.EqualFold(word, "or"):
			b.WriteByte('|')
		case word == "(" || word == ")":
			b.WriteString(word)
		case !regexp.MustCompile(`^[A-Za-z0-9._*:/-]+$`).MatchString(word):
			return false, false
		case slices.Contains(slugs, word):
			b.WriteByte('T')
		default:
			b.WriteByte('F')
		}
	}
	s := b.String()
	for before := ""; s != before; {
		before = s
		s = regexp.MustCompile(`\(([TF])\)`).ReplaceAllString(s, "$1")
		if next := regexp.MustCompile(`[TF]&[TF]`).ReplaceAllStringFunc(s, both); next != s {
			s = next
			continue
		}
		// An OR is ready when no AND beside it takes one of its sides.
		s = regexp.MustCompile(`(^|[(|])([TF]\|[TF])($|[)|])`).ReplaceAllStringFunc(s, either)
	}
	return s == "T", s == "T" || s == "F"
}

func both(s string) string {
	if s == "T&T" {
		return "T"
	}
	return "F"
}

func either(s string) string {
	at := strings.IndexAny(s, "TF")
	result := "F"
	if strings.Contains(s, "T") {
		result = "T"
	}
	return s[:at] + result + s[at+3:]
}
