package fsm

import (
	"encoding/binary"

	"github.com/creditd/creditd/fsm/fields"
)

// OutcomeRecord is the outcome of a call at rest.
type OutcomeRecord struct {
	WorkspaceID string
	Name        Short
	Request     Short
	At          int64 // Unix ms
	Index       uint64
	Result      Result
}

var outcomeRecordType = recordType{kind: OutcomeKind, since: 1, create: createRecord[OutcomeRecord]}

func (*OutcomeRecord) is() *recordType { return &outcomeRecordType }

// Key names the record.
func (r *OutcomeRecord) Key() RecordKey {
	return RecordKey{OutcomeKind, outcomeID(r.At, r.Index, r.WorkspaceID, r.Name)}
}

func (r *OutcomeRecord) fields(v *fields.Visitor) {
	r.digested(v)
	if !v.Hashing() {
		visitKept(&r.Result, v)
	}
}

// digested are the fields of the digest. The result follows from the entry that the index names.
func (r *OutcomeRecord) digested(v *fields.Visitor) {
	v.String(&r.WorkspaceID)
	r.Name.fields(v)
	r.Request.fields(v)
	v.Int(&r.At)
	v.Uint(&r.Index)
}

// outcomeID orders outcomes by log time first: a log index begins anew where a ledger is moved to another cluster. at is not negative.
func outcomeID(at int64, index uint64, workspaceID string, name Short) string {
	id := binary.BigEndian.AppendUint64(make([]byte, 0, 16+len(workspaceID)+len(name)), uint64(at))
	id = binary.BigEndian.AppendUint64(id, index)
	return string(append(append(id, name[:]...), workspaceID...))
}
