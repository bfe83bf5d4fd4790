package schema

import (
	"bytes"
	"hash/maphash"
	"math/bits"
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
		if !ok || !w.mayHave(len(list.members)) {
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
	base, left := l.members[0].start, l.markRepeated()
	if left == len(l.members) {
		return dst, left
	}
	out := dst[:base]
	for _, m := range l.members { // moves text towards the front only
		if m.name == nil {
			continue
		}
		if len(out) > base {
			out = append(out, ',')
		}
		out = append(out, dst[m.start:m.end]...)
	}
	return out, left
}

// markRepeated takes the name from each member that a later one repeats, and returns how many members keep theirs. A table of hashes with
// a secret seed takes linear time for any names.
func (l *memberList) markRepeated() (left int) {
	mask := uint64(1)<<bits.Len(uint(2*len(l.members))) - 1
	table, seed := make([]int32, mask+1), maphash.MakeSeed() // of positions, counted from 1
	for i := len(l.members) - 1; i >= 0; i-- {
		m := &l.members[i]
		at := maphash.Bytes(seed, m.name) & mask
		for table[at] != 0 && !bytes.Equal(l.members[table[at]-1].name, m.name) {
			at = (at + 1) & mask
		}
		if table[at] != 0 {
			m.name = nil
			continue
		}
		table[at] = int32(i) + 1
		left++
	}
	return left
}
