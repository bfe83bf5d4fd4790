package schema

import (
	"encoding/binary"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON text (RFC 8259) in place. Its methods return false when the text at pos is not JSON; the first
// fault is kept.
type scanner struct {
	data  []byte
	pos   int
	depth int // open objects and arrays
	fault string
}

func (s *scanner) fail(fault string) bool {
	if s.fault == "" {
		s.fault = fault
		if s.pos >= len(s.data) {
			s.fault = "unexpected end of JSON input"
		}
	}
	return false
}

// space skips insignificant space and returns the byte after it, or 0 at the end.
func (s *scanner) space() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// end reports whether nothing but space is left.
func (s *scanner) end() bool {
	s.space()
	return s.pos == len(s.data) || s.fail("unexpected data after the JSON value")
}

// open enters the object or array at pos.
func (s *scanner) open() bool {
	if s.depth == MaxDepth {
		return s.fail("nested deeper than " + strconv.Itoa(MaxDepth) + " levels")
	}
	s.depth++
	s.pos++
	return true
}

func (s *scanner) close() {
	s.depth--
	s.pos++
}

// next steps from one member or element to the following one; done tells that the container was closed by end.
func (s *scanner) next(end byte) (done, ok bool) {
	switch s.space() {
	case end:
		s.close()
		return true, true
	case ',':
		s.pos++
		return false, true
	}
	return false, s.fail("expected ',' or '" + string(rune(end)) + "'")
}

// name reads a member's name and the colon after it. The result may point into the body.
func (s *scanner) name() ([]byte, bool) {
	if s.space() != '"' {
		return nil, s.fail("expected a property name in quotes")
	}
	raw, _, escaped, ok := s.str()
	if !ok {
		return nil, false
	}
	if escaped {
		raw = unescape(raw)
	}
	if s.space() != ':' {
		return nil, s.fail("expected ':' after a property name")
	}
	s.pos++
	return raw, true
}

// skip reads any value and checks that it is JSON.
func (s *scanner) skip() bool {
	switch c := s.space(); c {
	case '"':
		_, _, _, ok := s.str()
		return ok
	case '{', '[':
		return s.skipAll(c + 2) // the closing bracket
	case 't', 'f', 'n':
		return s.word(c)
	default:
		_, _, _, ok := s.number()
		return ok
	}
}

// skipAll reads an object or array, which ends with end.
func (s *scanner) skipAll(end byte) bool {
	if !s.open() {
		return false
	}
	if s.space() == end {
		s.close()
		return true
	}
	for count := 1; ; count++ {
		if end == '}' {
			if _, ok := s.name(); !ok || !s.mayHave(count) {
				return false
			}
		}
		if !s.skip() {
			return false
		}
		if done, ok := s.next(end); done || !ok {
			return ok
		}
	}
}

// mayHave reports whether an object may have so many properties, repeated ones included.
func (s *scanner) mayHave(properties int) bool {
	return properties <= MaxProperties || s.fail("object with more than "+strconv.Itoa(MaxProperties)+" properties")
}

// word reads true, false or null, recognised by its first letter.
func (s *scanner) word(first byte) bool {
	want := "true"
	switch first {
	case 'f':
		want = "false"
	case 'n':
		want = "null"
	}
	rest := s.data[s.pos:]
	if len(rest) < len(want) || string(rest[:len(want)]) != want {
		return s.fail("invalid literal")
	}
	s.pos += len(want)
	return true
}

// plain marks the bytes that stand for themselves in a string and are one code point each.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// allPlain is plain of eight bytes at once. A byte below n has its highest bit set after n was subtracted, and not before.
func allPlain(b uint64) bool {
	const each, highest = 0x0101010101010101, 0x8080808080808080
	quotes, backslashes := b^(each*'"'), b^(each*'\\')
	return (b|(b-each*' ')|(quotes-each)&^quotes|(backslashes-each)&^backslashes)&highest == 0
}

// str reads the string at pos: its raw text between the quotes, its length in code points, and whether it has escapes.
func (s *scanner) str() (raw []byte, runes int, escaped, ok bool) {
	start := s.pos + 1
	i := start
	for i+8 <= len(s.data) && allPlain(binary.LittleEndian.Uint64(s.data[i:])) {
		i += 8
	}
	for i < len(s.data) && plain[s.data[i]] {
		i++
	}
	if i < len(s.data) && s.data[i] == '"' {
		s.pos = i + 1
		return s.data[start:i], i - start, false, true
	}
	runes = i - start
	s.pos = i
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return s.data[start : s.pos-1], runes, escaped, true
		case c == '\\':
			escaped = true
			if !s.escape() {
				return nil, 0, false, false
			}
		case c < 0x20:
			return nil, 0, false, s.fail("control character in a string")
		case c < utf8.RuneSelf:
			s.pos++
		default:
			r, size := utf8.DecodeRune(s.data[s.pos:])
			if r == utf8.RuneError && size == 1 {
				return nil, 0, false, s.fail("invalid UTF-8 in a string")
			}
			s.pos += size
		}
		runes++
	}
	return nil, 0, false, s.fail("")
}

// escape checks the escape sequence at pos, which is one code point even if it is a surrogate pair.
func (s *scanner) escape() bool {
	rest := s.data[s.pos:]
	if len(rest) < 2 {
		s.pos = len(s.data)
		return s.fail("")
	}
	switch rest[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos += 2
		return true
	case 'u':
	default:
		return s.fail("invalid escape in a string")
	}
	r, ok := hex4(rest)
	if !ok {
		return s.fail("invalid escape in a string")
	}
	if !utf16.IsSurrogate(r) {
		s.pos += 6
		return true
	}
	low, ok := hex4(rest[6:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		return s.fail("unpaired surrogate in a string")
	}
	s.pos += 12
	return true
}

// hex4 reads a \uXXXX sequence from the start of b.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	for _, c := range b[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape resolves the escapes of a string that str has accepted.
func unescape(raw []byte) []byte {
	text := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			text = append(text, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			text = append(text, escapes[raw[i+1]])
			i += 2
			continue
		}
		r, _ := hex4(raw[i:])
		i += 6
		if utf16.IsSurrogate(r) {
			low, _ := hex4(raw[i:])
			r = utf16.DecodeRune(r, low)
			i += 6
		}
		text = utf8.AppendRune(text, r)
	}
	return text
}

// escapes are the bytes that the short escapes stand for.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// number reads the number at pos. fits tells that it is written as an integer and is an int64, which value then holds.
func (s *scanner) number() (literal []byte, value int64, fits, ok bool) {
	start := s.pos
	if s.pos < len(s.data) && s.data[s.pos] == '-' {
		s.pos++
	}
	first := s.pos
	digits := s.digits()
	if digits == 0 {
		return nil, 0, false, s.fail("invalid character where a value is expected")
	}
	if digits > 1 && s.data[first] == '0' {
		s.pos = first + 1
		return nil, 0, false, s.fail("number with a leading zero")
	}
	integer := true
	if s.pos < len(s.data) && s.data[s.pos] == '.' {
		integer = false
		s.pos++
		if s.digits() == 0 {
			return nil, 0, false, s.fail("number without digits after the point")
		}
	}
	if s.pos < len(s.data) && s.data[s.pos]|0x20 == 'e' {
		integer = false
		s.pos++
		if s.pos < len(s.data) && (s.data[s.pos] == '+' || s.data[s.pos] == '-') {
			s.pos++
		}
		if s.digits() == 0 {
			return nil, 0, false, s.fail("number without digits in the exponent")
		}
	}
	literal = s.data[start:s.pos]
	switch {
	case !integer || digits > 19:
		return literal, 0, false, true
	case digits == 19: // may or may not fit
		v, err := strconv.ParseInt(string(literal), 10, 64)
		return literal, v, err == nil, true
	}
	for _, c := range s.data[first:s.pos] {
		value = value*10 + int64(c-'0')
	}
	if first > start {
		value = -value
	}
	return literal, value, true, true
}

func (s *scanner) digits() (n int) {
	for s.pos < len(s.data) && s.data[s.pos]-'0' <= 9 {
		s.pos++
		n++
	}
	return n
}
