package fsm

import "github.com/creditd/creditd/fsm/fields"

// SweepRecord says how far the sweep of a workspace has come: see sweep.
type SweepRecord struct {
	WorkspaceID string
	Since       int64  // log time of the last step, or of the beginning, Unix ms
	Keys        bool   // the roles are done
	APIID       string // of the key that comes next
	Next        string // id of the role or key that comes next; empty: the first
}

var sweepRecordType = recordType{kind: SweepKind, since: 5, create: createRecord[SweepRecord]}

func (*SweepRecord) is() *recordType { return &sweepRecordType }

// Key names the record.
func (r *SweepRecord) Key() RecordKey { return RecordKey{SweepKind, r.WorkspaceID} }

func (r *SweepRecord) fields(v *fields.Visitor) {
	v.String(&r.WorkspaceID)
	v.Int(&r.Since)
	v.Bool(&r.Keys)
	v.String(&r.APIID)
	v.String(&r.Next)
}
