package fsm

import (
	"math/bits"
	"strconv"

	"github.com/creditd/creditd/fsm/fields"
)

// AuditRecord is an audit entry at rest.
type AuditRecord struct {
	WorkspaceID string // of the actor
	Number      int64  // among the workspace's entries of the same time, from 0
	Entry       AuditEntry
}

var auditRecordType = recordType{kind: AuditKind, since: 1, create: createRecord[AuditRecord]}

func (*AuditRecord) is() *recordType { return &auditRecordType }

// Key names the record. A workspace's id has no slash.
func (r *AuditRecord) Key() RecordKey { return RecordKey{AuditKind, r.recordID()} }

func (r *AuditRecord) fields(v *fields.Visitor) {
	v.String(&r.WorkspaceID)
	v.Int(&r.Number)
	r.Entry.fields(v)
}

// auditID sorts entries in the order in which they were made. It uses log time, because log indexes start again when a ledger moves to a
// new cluster.
func auditID(time, number int64) string {
	return string(appendAuditID(make([]byte, 0, 25), time, number))
}

func appendAuditID(buf []byte, time, number int64) []byte {
	buf = appendHex(buf, time, 16)
	return appendHex(append(buf, '-'), number, 8)
}

// appendHex appends a number that is not negative, with at least so many digits.
func appendHex(buf []byte, n int64, digits int) []byte {
	for missing := digits - (bits.Len64(uint64(max(n, 1)))+3)/4; missing > 0; missing-- {
		buf = append(buf, '0')
	}
	return strconv.AppendInt(buf, n, 16)
}

func (r *AuditRecord) recordID() string { return string(r.appendID(nil)) }

func (r *AuditRecord) appendID(buf []byte) []byte {
	return appendAuditID(append(append(buf, r.WorkspaceID...), '/'), r.Entry.Time, r.Number)
}

// kept reports whether the ledger writes such an entry.
func (e *AuditEntry) kept() bool {
	if !e.Event.Known() || len(e.Resources) == 0 || len(e.Resources) > MaxAuditResources || e.Omitted < 0 {
		return false
	}
	for i := 1; i < len(e.Resources); i++ {
		if compareResources(e.Resources[i-1], e.Resources[i]) >= 0 {
			return false
		}
	}
	return true
}

// MaxAuditResources is the number of resources that one entry lists: a command may change thousands.
const MaxAuditResources = 100
