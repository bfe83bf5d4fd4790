package fsm

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// foldedName is a slug or the name of a role, unique within a workspace whatever its case. See contract 6, D-11.
type foldedName struct{ workspaceID, folded string }

// foldCase puts a name into lower case: the letters of ASCII, Latin-1, Greek and Cyrillic, whose other case is at a fixed distance.
// The tables of package unicode change from one release of Go to the next, and nodes of different builds must agree.
func foldCase(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return strings.Map(lower, s)
		}
	}
	return s // as most slugs are
}

func lower(r rune) rune {
	switch {
	case 'A' <= r && r <= 'Z':
		return r + 32
	case r < 'À':
		return r
	case r <= 'Þ' && r != '×', 'Α' <= r && r <= 'Ω', 'А' <= r && r <= 'Я':
		return r + 32
	case 'Ѐ' <= r && r <= 'Џ':
		return r + 80
	default:
		return r
	}
}

// searchText is a folded text to look for. See contract 1.14.
type searchText string

func newSearchText(text string) searchText { return searchText(foldCase(strings.TrimSpace(text))) }

// in reports whether one of the texts has it, whatever the case. All have a blank one.
func (s searchText) in(texts ...string) bool {
	return s == "" || slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(foldCase(text), string(s)) })
}
