package fsm

import (
	"fmt"

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
func auditID(time, number int64) string { return fmt.Sprintf("%016x-%08x", time, number) }

func (r *AuditRecord) recordID() string { return r.WorkspaceID + "/" + auditID(r.Entry.Time, r.Number) }

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
