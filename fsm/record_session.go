package fsm

import "github.com/creditd/creditd/fsm/fields"

// SessionRecord is a session at rest.
type SessionRecord struct {
	ID       uint64
	Node     string
	LastSeen int64
	Base     uint64
	Results  []SessionResult // in ascending order of Seq, all at or above Base
}

var sessionRecordType = recordType{kind: SessionKind, since: 1, create: createRecord[SessionRecord]}

func (*SessionRecord) is() *recordType { return &sessionRecordType }

// Key names the record.
func (r *SessionRecord) Key() RecordKey { return sessionKey(r.ID) }

func (r *SessionRecord) fields(v *fields.Visitor) {
	v.Uint(&r.ID)
	v.String(&r.Node)
	v.Int(&r.LastSeen)
	v.Uint(&r.Base)
	if v.Hashing() { // the results follow from the rest, so their number is enough
		v.Length(len(r.Results))
		return
	}
	fields.List(v, &r.Results, (*SessionResult).fields)
}

// SessionResult is a result that the node has not acknowledged yet.
type SessionResult struct {
	Seq    uint64
	Index  uint64
	Result Result
}

func (r *SessionResult) fields(v *fields.Visitor) {
	v.Uint(&r.Seq)
	v.Uint(&r.Index)
	VisitResult(v, &r.Result)
}

func sessionKey(id uint64) RecordKey {
	var name [8]byte
	for i := range name {
		name[i] = byte(id >> (56 - 8*i))
	}
	return RecordKey{SessionKind, string(name[:])}
}
