package fsm

import (
	"fmt"
	"slices"
	"strings"
)

// satisfies evaluates a permission query for a key: see contract 3.5. A slug of the query must equal one of the key's slugs exactly. The
// verdict needs their sorted list in any case.
func (a *VerdictAccess) satisfies(query string) (bool, *Refusal) {
	var held []string
	if a != nil {
		held = a.Permissions
	}
	return evaluate(query, func(operand string) bool {
		_, ok := slices.BinarySearch(held, operand)
		return ok
	})
}

// evaluate parses and evaluates a query in one pass, without a tree: a query is evaluated only once.
func evaluate(query string, holds func(slug string) bool) (bool, *Refusal) {
	q := queryParser{text: query, holds: holds}
	q.next()
	value := q.or(true)
	if q.refusal == nil && q.kind != endToken {
		q.unexpected("the end of the query, AND or OR")
	}
	return value && q.refusal == nil, q.refusal
}

// queryToken is a kind of token.
type queryToken uint8

const (
	endToken queryToken = iota
	slugToken
	andToken
	orToken
	openToken
	closeToken
)

// queryParser reads a query from left to right and stops at the first error. Its methods parse
//
//	or      = and {OR and}
//	and     = primary {AND primary}
//	primary = slug | "(" or ")"
//
// and return the value, which means nothing after a refusal. With wanted false the value does not matter, and no slug is looked up.
type queryParser struct {
	text  string
	holds func(slug string) bool

	kind    queryToken // of the present token
	start   int        // of the present token, in text
	end     int        // of the present token, in text
	refusal *Refusal
}

func (q *queryParser) or(wanted bool) bool {
	value := q.and(wanted)
	for q.kind == orToken && q.refusal == nil {
		q.next()
		right := q.and(wanted && !value)
		value = value || right
	}
	return value
}

func (q *queryParser) and(wanted bool) bool {
	value := q.primary(wanted)
	for q.kind == andToken && q.refusal == nil {
		q.next()
		right := q.primary(wanted && value)
		value = value && right
	}
	return value
}

func (q *queryParser) primary(wanted bool) bool {
	if q.refusal != nil {
		return false
	}
	switch q.kind {
	case slugToken:
		value := wanted && q.holds(q.text[q.start:q.end])
		q.next()
		return value
	case openToken:
		q.next()
		value := q.or(wanted)
		if q.refusal != nil {
			return false
		}
		switch q.kind {
		case closeToken:
			q.next()
		case endToken:
			q.fail(fmt.Sprintf("a closing parenthesis is missing at position %d", len(q.text)))
		default:
			q.unexpected("a closing parenthesis, AND or OR")
		}
		return value
	case endToken:
		q.fail("the query ends where a permission or an opening parenthesis is expected")
	default:
		q.unexpected("a permission or an opening parenthesis")
	}
	return false
}

// next reads one token.
func (q *queryParser) next() {
	text, at := q.text, q.end
	for at < len(text) && queryBytes[text[at]] == spaceByte {
		at++
	}
	q.start = at
	for at < len(text) && queryBytes[text[at]] == slugByte {
		at++
	}
	q.end = at
	if at > q.start {
		q.kind = wordToken(text[q.start:at])
		return
	}
	if at == len(text) {
		q.kind = endToken
		return
	}
	q.end++
	switch text[at] {
	case '(':
		q.kind = openToken
	case ')':
		q.kind = closeToken
	default:
		q.fail(fmt.Sprintf("a character that no permission has at position %d", at))
	}
}

// wordToken distinguishes operators from slugs.
func wordToken(word string) queryToken {
	switch {
	case len(word) == 2 && word[0]|' ' == 'o' && word[1]|' ' == 'r':
		return orToken
	case len(word) == 3 && word[0]|' ' == 'a' && word[1]|' ' == 'n' && word[2]|' ' == 'd':
		return andToken
	}
	return slugToken
}

const (
	spaceByte = iota + 1
	slugByte
)

// queryBytes has the kind of each byte: a query is read byte by byte, and there may be a thousand queries in a request.
var queryBytes = func() (kinds [256]byte) {
	for _, c := range []byte(" \t\r\n") {
		kinds[c] = spaceByte
	}
	for c := range kinds {
		switch c := byte(c); {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("._-*:/", c) >= 0:
			kinds[c] = slugByte
		}
	}
	return kinds
}()

func (q *queryParser) unexpected(expected string) {
	q.fail(fmt.Sprintf("'%s' at position %d, where %s is expected", q.text[q.start:q.end], q.start, expected))
}

// fail records the first error. Positions count from 0. Everything before an error is ASCII, so they count characters.
func (q *queryParser) fail(what string) {
	if q.refusal == nil {
		q.refusal = &Refusal{Code: QuerySyntax, Detail: "The permission query has a syntax error: " + what}
	}
}
