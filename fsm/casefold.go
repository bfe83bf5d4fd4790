package fsm

import (
	"strings"
	"unicode/utf8"
)

// foldedName is a slug or a role name in lower case. It is unique within a workspace. See contract 6, D-11.
type foldedName struct{ workspaceID, folded string }

// foldCase converts a name to lower case: ASCII, Latin-1, Greek and Cyrillic letters, whose cases are a fixed distance apart. The tables of
// package unicode change between releases of Go, and nodes of different builds must agree.
func foldCase(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return strings.Map(lower, s)
		}
	}
	return s // most slugs
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

// searchText is a text to search for, in lower case. See contract 1.14.
type searchText string

func newSearchText(text string) searchText { return searchText(foldCase(strings.TrimSpace(text))) }

// in reports whether one of the texts contains it, in any case, and what looking costs a page. An empty search text is in every text.
func (s searchText) in(texts ...string) (found bool, cost int) {
	if s == "" {
		return true, 0
	}
	for _, text := range texts {
		cost += searchedByte * len(text)
		if strings.Contains(foldCase(text), string(s)) {
			return true, cost
		}
	}
	return false, cost
}
