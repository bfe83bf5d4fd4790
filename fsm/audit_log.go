package fsm

import (
	"math"
)

// Audit entries are kept for auditTTL of log time (in ms), at most MaxAuditEntries per workspace. From ledger version 5 on an entry counts once
// for each auditUnit that it begins [D-105]: one may list a hundred resources with long ids, and their balances.
const (
	auditTTL        = 30 * dayMillis
	MaxAuditEntries = 100_000
	auditUnit       = 1 << 10
	// evictedPerAudit bounds how many entries make room for one. The largest weighs less.
	evictedPerAudit = 128
)

// auditEntry is an audit entry in memory. It never changes.
type auditEntry struct {
	entityHeader
	id    string // orders the entries of a workspace
	entry AuditRecord
	log   *auditLog
	place int32 // in auditStore.expiries
	units int32
}

// auditLog holds the entries of one workspace, oldest first. A workspace without entries has no log.
type auditLog struct {
	workspace *workspace
	list      []*auditEntry
	units     int // of all
}

// auditStore holds the audit entries of all workspaces.
type auditStore struct {
	*core
	tenants  *tenancy
	expiries deadlines[*auditEntry]
}

// addAudit adds an entry to the log of the actor's workspace.
func (logs *auditStore) addAudit(w *workspace, entry AuditEntry) {
	// Each new entry expires up to two old ones, so expired entries never pile up.
	logs.expire(2)
	r := AuditRecord{WorkspaceID: w.id, Entry: entry}
	if l := w.audit; l != nil {
		if last := l.list[len(l.list)-1]; last.entry.Entry.Time == entry.Time {
			r.Number = last.entry.Number + 1
		}
	}
	logs.insertAudit(w, r)
	for l, n := w.audit, 0; n < evictedPerAudit && logs.overfull(l); n++ {
		logs.expiries.remove(l.list[0])
		logs.dropOldest(l.list[0])
	}
}

func (logs *auditStore) overfull(l *auditLog) bool {
	if logs.version < fifthRules {
		return len(l.list) > MaxAuditEntries
	}
	return l.units > MaxAuditEntries && len(l.list) > 1
}

func (logs *auditStore) insertAudit(w *workspace, r AuditRecord) {
	l := w.audit
	if l == nil {
		l = &auditLog{workspace: w}
		w.audit = l
	}
	e := &auditEntry{id: auditID(r.Entry.Time, r.Number), entry: r, log: l, units: int32(1 + sizeOf(&r.Entry)/auditUnit)}
	l.list = append(l.list, e)
	l.units += int(e.units)
	logs.expiries.add(e)
	logs.add(e)
}

// expire removes up to n entries that are too old.
func (logs *auditStore) expire(n int) { logs.expiries.expire(logs.clock, n, logs.dropOldest) }

// dropOldest removes the oldest entry of a workspace.
func (logs *auditStore) dropOldest(e *auditEntry) {
	l := e.log
	logs.remove(e)
	l.list[0] = nil
	l.units -= int(e.units)
	if l.list = l.list[1:]; len(l.list) == 0 {
		l.workspace.audit = nil
	}
}

func (e *auditEntry) key() RecordKey { return RecordKey{AuditKind, e.entry.WorkspaceID + "/" + e.id} }

func (e *auditEntry) record() Record { return &e.entry }

func (e *auditEntry) digest() Digest { return digestOf(&e.entry) }

// loadAudit expects the entries of a workspace in the order of their names.
func (logs *auditStore) loadAudit(r *AuditRecord) bool {
	w := logs.tenants.workspaces[r.WorkspaceID]
	if w == nil || r.Entry.Time < 0 || r.Entry.Time > logs.clock || r.Number < 0 || r.Number > math.MaxUint32 || !r.Entry.kept() {
		return false
	}
	if l := w.audit; l != nil {
		last := l.list[len(l.list)-1]
		if len(l.list) == MaxAuditEntries || last.id >= auditID(r.Entry.Time, r.Number) {
			return false
		}
	}
	logs.insertAudit(w, *r)
	return true
}

func (e *auditEntry) deadline() int64 { return e.entry.Entry.Time + auditTTL }

func (e *auditEntry) slot() *int32 { return &e.place }

func (e *auditEntry) sooner(o *auditEntry) bool {
	if e.id != o.id {
		return e.id < o.id
	}
	return e.entry.WorkspaceID < o.entry.WorkspaceID
}

func (*auditEntry) resource() AuditResource { return AuditResource{} }
