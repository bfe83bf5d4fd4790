package schema

import (
	"bytes"
	"slices"
)

// compact appends the object at pos to dst as an [Object] is kept, and returns its number of members.
func (w *scanner) compact(dst []byte) (_ []byte, members int, ok bool) {
	if !w.open() {
		return nil, 0, false
	}
	dst = append(dst, '{')
	if w.space() == '}' {
		w.close()
		return append(dst, '}'), 0, true
	}
	var list memberList
	for {
		w.space()
		start, from := len(dst), w.pos
		name, ok := w.name()
		if !ok {
			return nil, 0, false
		}
		// What name has read is the quoted name, possibly space, and a colon.
		dst = append(dst, bytes.TrimRight(w.data[from:w.pos-1], " \t\r\n")...)
		dst = append(dst, ':')
		if dst, ok = w.compactValue(dst); !ok {
			return nil, 0, false
		}
		list.add(member{name: name, start: start, end: len(dst)})
		done, ok := w.next('}')
		if !ok {
			return nil, 0, false
		}
		if done {
			break
		}
		dst = append(dst, ',')
	}
	dst, members = list.dropRepeated(dst)
	return append(dst, '}'), members, true
}

func (w *scanner) compactValue(dst []byte) ([]byte, bool) {
	switch w.space() {
	case '{':
		dst, _, ok := w.compact(dst)
		return dst, ok
	case '[':
		return w.compactArray(dst)
	}
	from := w.pos
	if !w.skip() {
		return nil, false
	}
	return append(dst, w.data[from:w.pos]...), true
}

func (w *scanner) compactArray(dst []byte) ([]byte, bool) {
	if !w.open() {
		return nil, false
	}
	dst = append(dst, '[')
	if w.space() == ']' {
		w.close()
		return append(dst, ']'), true
	}
	for {
		var ok bool
		if dst, ok = w.compactValue(dst); !ok {
			return nil, false
		}
		done, ok := w.next(']')
		if !ok {
			return nil, false
		}
		if done {
			return append(dst, ']'), true
		}
		dst = append(dst, ',')
	}
}

// member is one member of an object: its name and where its text lies in the output.
type member struct {
	name       []byte
	start, end int
}

// memberList is the members of one object in the order of the body.
type memberList struct {
	members  []member
	repeated bool // known to hold a repeated name
}

// smallObject is up to how many members names are compared pairwise.
const smallObject = 16

func (l *memberList) add(m member) {
	if len(l.members) < smallObject && !l.repeated {
		for i := range l.members {
			if bytes.Equal(l.members[i].name, m.name) {
				l.repeated = true
				break
			}
		}
	}
	l.members = append(l.members, m)
}

// dropRepeated removes all but the last member of each name from the output and returns how many are left.
func (l *memberList) dropRepeated(dst []byte) ([]byte, int) {
	if len(l.members) <= smallObject && !l.repeated {
		return dst, len(l.members)
	}
	base := l.members[0].start
	byName := slices.Clone(l.members)
	slices.SortFunc(byName, func(a, b member) int {
		if c := bytes.Compare(a.name, b.name); c != 0 {
			return c
		}
		return a.start - b.start
	})
	kept := byName[:0]
	for i, m := range byName {
		if i+1 == len(byName) || !bytes.Equal(m.name, byName[i+1].name) {
			kept = append(kept, m)
		}
	}
	if len(kept) == len(l.members) {
		return dst, len(kept)
	}
	slices.SortFunc(kept, func(a, b member) int { return a.start - b.start })
	out := dst[:base]
	for i, m := range kept { // moves text towards the front only
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, dst[m.start:m.end]...)
	}
	return out, len(kept)
}
