package fsm

import (
	"slices"
	"strings"
)

// Limits of what one request compares with patterns [D-32], from ledger version 3 on. A namespace may have more patterns from before.
const (
	maxPatterns = 100
	// maxCompared bounds a ConsumeRatelimits of several requests: the bytes of each identifier times the patterns that search it. One byte
	// takes up to 2.5 ns.
	maxCompared = 1 << 20
)

// pattern is the identifier of an override, cut at each *. It is made from the override and stored nowhere.
type pattern struct {
	*override
	first, last string   // before the first *, after the last
	middle      []string // between; not empty
	shortest    int      // bytes of a text that can match
}

func newPattern(o *override) pattern {
	parts := strings.Split(o.identifier, "*")
	p := pattern{override: o, first: parts[0], last: parts[len(parts)-1]}
	for _, part := range parts[1 : len(parts)-1] {
		if part != "" {
			p.middle = append(p.middle, part)
		}
	}
	p.shortest = len(o.identifier) - (len(parts) - 1)
	return p
}

// matches reports whether each * of the pattern stands for some text. The first match of each part is enough, so the cost is one search
// per part.
func (p *pattern) matches(text string) bool {
	if len(text) < p.shortest || !strings.HasPrefix(text, p.first) || !strings.HasSuffix(text, p.last) {
		return false
	}
	text = text[len(p.first) : len(text)-len(p.last)]
	for _, part := range p.middle {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

// searches reports whether a match has to search the text, and not only its ends.
func (p *pattern) searches() bool { return len(p.middle) > 0 }

// moreSpecific orders patterns: longer ones first.
func moreSpecific(a, b pattern) int {
	if len(a.identifier) != len(b.identifier) {
		return len(b.identifier) - len(a.identifier)
	}
	return strings.Compare(a.identifier, b.identifier)
}

// addPattern adds the pattern of an override that has a *.
func (n *namespace) addPattern(o *override) {
	p := newPattern(o)
	at, _ := slices.BinarySearchFunc(n.patterns, p, moreSpecific)
	n.patterns = slices.Insert(n.patterns, at, p)
	if p.searches() {
		n.searching++
	}
}

// removePattern removes the pattern of an override, if it has one.
func (n *namespace) removePattern(o *override) {
	at := slices.IndexFunc(n.patterns, func(p pattern) bool { return p.override == o })
	if at < 0 {
		return
	}
	if n.patterns[at].searches() {
		n.searching--
	}
	n.patterns = slices.Delete(n.patterns, at, at+1)
}

// overrideOf returns the override of an identifier: an exact one, or else the most specific pattern that matches; nil: none.
func (n *namespace) overrideOf(identifier string) *override {
	if o := n.exact[identifier]; o != nil {
		return o
	}
	for i := range n.patterns {
		if n.patterns[i].matches(identifier) {
			return n.patterns[i].override
		}
	}
	return nil
}
