package codec

import (
	"errors"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fields"
)

// sessionTable lists the sessions of a batch in order of appearance. A call id is then an index and a small difference: two or three bytes.
type sessionTable []sessionEntry

type sessionEntry struct{ id, below uint64 }

// sessionsOf builds the table. Calls of one session may have different acknowledged numbers. The table keeps the largest one that is not
// above any of the calls. It stands in the room if that suffices.
func sessionsOf(calls []fsm.Call, room sessionTable) sessionTable {
	var fewLowest [few]uint64
	table, lowest := room, fewLowest[:0]
	for i := range calls {
		id := calls[i].ID
		if id.Session == 0 {
			continue
		}
		at := table.index(id.Session)
		if at < 0 {
			table = append(table, sessionEntry{id.Session, id.AckedBelow})
			lowest = append(lowest, id.Seq)
			continue
		}
		table[at].below = max(table[at].below, id.AckedBelow)
		lowest[at] = min(lowest[at], id.Seq)
	}
	for i := range table {
		table[i].below = min(table[i].below, lowest[i])
	}
	return table
}

// index finds a session. A batch has at most one per node, so a scan is faster than a map.
func (s sessionTable) index(id uint64) int {
	for i := range s {
		if s[i].id == id {
			return i
		}
	}
	return -1
}

// malformed reports whether no writer produces such a table.
func (s sessionTable) malformed() bool {
	for i := range s {
		if s[i].id == 0 || s.index(s[i].id) != i {
			return true
		}
	}
	return false
}

// write writes a call id as 0, or as the session's index plus one and the distance from the acknowledged number.
func (s sessionTable) write(v *fields.Visitor, id fsm.CallID) {
	var at uint64
	if id.Session == 0 {
		v.Uint(&at)
		return
	}
	i := s.index(id.Session)
	at = uint64(i) + 1
	v.Uint(&at)
	distance := id.Seq - s[i].below
	v.Uint(&distance)
}

func (s sessionTable) read(v *fields.Visitor) fsm.CallID {
	var at, distance uint64
	if v.Uint(&at); at == 0 {
		return fsm.CallID{}
	}
	if at > uint64(len(s)) {
		v.Fail(errors.New("a call id names a session that is not listed"))
		return fsm.CallID{}
	}
	v.Uint(&distance)
	e := s[at-1]
	if e.below+distance < e.below {
		v.Fail(errors.New("the sequence number of a call id is too large"))
	}
	return fsm.CallID{Session: e.id, Seq: e.below + distance, AckedBelow: e.below}
}
