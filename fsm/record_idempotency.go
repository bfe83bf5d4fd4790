package fsm

import (
	"encoding/binary"

	"github.com/creditd/creditd/fsm/fields"
)

// IdempotencyRecord is the stored answer of a call with an idempotency key.
type IdempotencyRecord struct {
	WorkspaceID string
	KeyHash     ShortHash
	Fingerprint ShortHash
	At          int64 // Unix ms
	Index       uint64
	Result      Result
}

var idempotencyRecordType = recordType{kind: IdempotencyKind, since: 1, create: createRecord[IdempotencyRecord]}

func (*IdempotencyRecord) is() *recordType { return &idempotencyRecordType }

// Key names the record.
func (r *IdempotencyRecord) Key() RecordKey {
	return RecordKey{IdempotencyKind, idempotencyRecordID(r.At, r.Index, r.WorkspaceID, r.KeyHash)}
}

func (r *IdempotencyRecord) appendID(buf []byte) []byte {
	return appendIdempotencyRecordID(buf, r.At, r.Index, r.WorkspaceID, r.KeyHash)
}

func (r *IdempotencyRecord) fields(v *fields.Visitor) {
	r.hashedFields(v)
	if !v.Hashing() {
		visitKept(&r.Result, v)
	}
}

// hashedFields are the fields in the digest. The result follows from the log entry at Index.
func (r *IdempotencyRecord) hashedFields(v *fields.Visitor) {
	v.String(&r.WorkspaceID)
	r.KeyHash.fields(v)
	r.Fingerprint.fields(v)
	v.Int(&r.At)
	v.Uint(&r.Index)
}

// idempotencyRecordID orders records by log time first, because log indexes start again when a ledger moves to another cluster. at is not
// negative.
func idempotencyRecordID(at int64, index uint64, workspaceID string, name ShortHash) string {
	return string(appendIdempotencyRecordID(make([]byte, 0, 16+len(workspaceID)+len(name)), at, index, workspaceID, name))
}

func appendIdempotencyRecordID(buf []byte, at int64, index uint64, workspaceID string, name ShortHash) []byte {
	buf = binary.BigEndian.AppendUint64(buf, uint64(at))
	buf = binary.BigEndian.AppendUint64(buf, index)
	return append(append(buf, name[:]...), workspaceID...)
}
