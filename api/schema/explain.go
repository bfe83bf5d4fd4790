package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// explainer finds everything that the schema has against a body. It skips what the walker accepts. It shows every other value to the
// validator alone, without its content, so that time and memory stay proportional to the body.
type explainer struct {
	walker
	violations []Violation
	shown      int          // values that the validator has seen
	unknown    unknownNames // of the object that was looked at last
}

// maxShown bounds the work for a body of many values that the validator accepts and the walker does not, as 1e99.
const maxShown = 10_000

// explain reads the value at pos into v, a settable value of n's type with its wrapping, and reports whether it is in order.
// If not, v is of no use.
func (e *explainer) explain(n *node, v reflect.Value) bool {
	if len(e.violations) == MaxErrors || e.shown >= maxShown {
		e.skip()
		return false
	}
	from := e.scanner
	if e.value(n, v) {
		return true
	}
	e.scanner = from
	var shown any
	switch first := e.space(); {
	case n.shape == shapeObject && first == '{':
		shown = e.object(n)
	case n.shape == shapeArray && first == '[':
		shown = e.array(n)
	default:
		shown = e.plain(n, first)
	}
	e.shown++
	if err, invalid := n.alone().Validate(shown).(*jsonschema.ValidationError); invalid {
		for _, cause := range err.Causes {
			e.report(n, cause.ErrorKind)
		}
	}
	return false
}

// object explains the members of an object and returns it with their names alone.
func (e *explainer) object(n *node) any {
	found := e.members(n)
	names := map[string]any{}
	for i, f := range n.fields {
		if found.at[i] > 0 {
			names[f.name] = nil
			e.pos = found.at[i]
			e.explain(f.node, reflect.New(f.full).Elem())
		}
	}
	for _, name := range found.unknown.listed {
		names[name] = nil
	}
	e.pos, e.unknown = found.end, found.unknown
	return names
}

// array explains the elements of an array and returns one of their number.
func (e *explainer) array(n *node) any {
	count, unread := 0, reflect.New(n.elem.full).Elem()
	e.open()
	if e.space() == ']' {
		e.close()
		return []any{}
	}
	for done := false; !done; count++ {
		e.explain(n.elem, unread)
		done, _ = e.next(']')
	}
	return make([]any, count)
}

// plain returns a value of which no part has a description of its own.
func (e *explainer) plain(n *node, first byte) any {
	switch first {
	case '"':
		raw, _, _, _ := e.str()
		return string(unescape(raw))
	case '{':
		if n.shape != shapeFree {
			e.skip()
			return map[string]any{}
		}
		_, count, _ := e.compact(nil)
		names := make(map[string]any, count)
		for i := range count {
			names[strconv.Itoa(i)] = nil
		}
		return names
	case '[':
		e.skip()
		return []any{}
	case 't', 'f':
		e.word(first)
		return first == 't'
	case 'n':
		e.word(first)
		return nil
	}
	literal, _, _, _ := e.number()
	return number(string(literal))
}

// exactNumber bounds the text of a number that the validator gets as it is: it expands exponents.
const exactNumber = 512

// number returns a number for the validator. One with a text or an exponent beyond all reason is rounded to a float64.
func number(literal string) json.Number {
	i := strings.IndexAny(literal, "eE")
	if exponent := strings.TrimLeft(literal[i+1:], "+-0"); len(literal) <= exactNumber && (i < 0 || len(exponent) <= 3) {
		return json.Number(literal)
	}
	f, err := strconv.ParseFloat(literal, 64)
	switch {
	case err == nil:
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64))
	case f < 0:
		return "-1e400"
	}
	return "1e400"
}

// report words a violation as the validator does, which the contract documents.
func (e *explainer) report(n *node, broken jsonschema.ErrorKind) {
	if len(e.violations) == MaxErrors {
		return
	}
	var more string
	switch broken := broken.(type) {
	case *kind.Pattern:
		broken.Got = clip(broken.Got)
	case *kind.AdditionalProperties:
		broken.Properties = e.unknown.listed // in the order of the body
		if e.unknown.more > 0 {
			more = fmt.Sprintf(" and %d more", e.unknown.more)
		}
	}
	text := broken.LocalizedString(message.NewPrinter(language.Und))
	if more != "" {
		text = strings.TrimSuffix(text, " not allowed") + more + " not allowed"
	}
	e.violations = append(e.violations, Violation{
		Location: n.loc + "/" + strings.Join(broken.KeywordPath(), "/"), Message: text,
	})
}

// members says where the members of an object are.
type members struct {
	at      []int // by field: where the value of its last member begins, 0: absent
	end     int
	unknown unknownNames
}

// members looks through the object at pos, which is known to be JSON.
func (s scanner) members(n *node) members {
	found := members{at: make([]int, len(n.fields))}
	s.open()
	done := s.space() == '}'
	if done {
		s.close()
	}
	for !done {
		name, _ := s.name()
		if i := n.find(name, 0); i >= 0 {
			found.at[i] = s.pos
		} else if !n.loose {
			found.unknown.add(name)
		}
		s.skip()
		done, _ = s.next('}')
	}
	found.end = s.pos
	return found
}

const (
	maxNamesListed = 32  // names in one message about unknown properties
	maxQuotedBytes = 512 // of a value or name quoted in a message
)

// unknownNames collects the undescribed names of one object for one message.
type unknownNames struct {
	listed []string
	more   int
}

func (u *unknownNames) add(name []byte) {
	quoted := clip(string(name))
	switch {
	case slices.Contains(u.listed, quoted):
	case len(u.listed) == maxNamesListed:
		u.more++
	default:
		u.listed = append(u.listed, quoted)
	}
}

// clip shortens a text that a message is about to quote.
func clip(s string) string {
	if len(s) <= maxQuotedBytes {
		return s
	}
	cut := maxQuotedBytes
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
