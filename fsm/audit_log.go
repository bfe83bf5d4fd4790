package fsm

import (
	"math"
)

// Audit entries are kept for auditTTL of log time (in ms), and at most MaxAuditEntries of a workspace.
const (
	auditTTL        = 30 * dayMillis
	MaxAuditEntries = 100_000
)

// auditPerEntry is how many audit entries one log entry drops at most, apart from those that make room for new ones.
const auditPerEntry = 64

// auditEntry is an audit entry in memory. It never changes.
type auditEntry struct {
	head
	id    string // orders the entries of a workspace
	entry AuditRecord
}

// auditLog has the entries of one workspace, the oldest first. It is in State.auditLogs while there are any.
type auditLog struct {
	workspace *workspace
	list      []*auditEntry
	place     int
}

// addAudit adds an entry to the log of the actor's workspace.
func (s *State) addAudit(w *workspace, entry AuditEntry) {
	// Two go for each that comes: there are never many more than those that are to be kept.
	s.dropAudit(2)
	r := AuditRecord{WorkspaceID: w.id, Entry: entry}
	if l := w.audit; l != nil {
		if last := l.list[len(l.list)-1]; last.entry.Entry.Time == entry.Time {
			r.Number = last.entry.Number + 1
		}
	}
	s.insertAudit(w, r)
	if l := w.audit; len(l.list) > MaxAuditEntries {
		s.dropOldest(l)
	}
}

func (s *State) insertAudit(w *workspace, r AuditRecord) {
	l := w.audit
	if l == nil {
		l = &auditLog{workspace: w}
		w.audit = l
	}
	e := &auditEntry{id: auditID(r.Entry.Time, r.Number), entry: r}
	l.list = append(l.list, e)
	if len(l.list) == 1 {
		s.auditLogs.push(l)
	}
	s.auditEntries++
	s.added(e)
}

// sweepAudit ends entries that are too old. Called when log time has moved, and only then: see sweepWindows.
func (s *State) sweepAudit() { s.dropAudit(auditPerEntry) }

// dropAudit drops up to n entries that are too old, in an order that depends on nothing but the entries: see dropWindows.
func (s *State) dropAudit(n int) {
	for ; n > 0 && len(s.auditLogs) > 0 && s.tooOld(s.auditLogs[0].list[0]); n-- {
		s.dropOldest(s.auditLogs[0])
	}
}

func (s *State) tooOld(e *auditEntry) bool { return e.entry.Entry.Time <= s.clock-auditTTL }

func (s *State) dropOldest(l *auditLog) {
	s.remove(l.list[0])
	s.auditEntries--
	l.list[0] = nil
	l.list = l.list[1:]
	if len(l.list) == 0 {
		s.auditLogs.removeAt(l.place)
		l.workspace.audit = nil
		return
	}
	s.auditLogs.down(l.place) // its oldest entry is a later one now
}

func (e *auditEntry) key() RecordKey { return RecordKey{AuditKind, e.entry.WorkspaceID + "/" + e.id} }

func (e *auditEntry) record() Record { return &e.entry }

func (e *auditEntry) digest() Digest { return digestOf(&e.entry) }

// loadAudit takes the entries of a workspace in their order, which is that of their names.
func (s *State) loadAudit(r *AuditRecord) bool {
	w := s.workspaces[r.WorkspaceID]
	if w == nil || r.Entry.Time < 0 || r.Entry.Time > s.clock || r.Number < 0 || r.Number > math.MaxUint32 || !r.Entry.kept() {
		return false
	}
	if l := w.audit; l != nil {
		last := l.list[len(l.list)-1]
		if len(l.list) == MaxAuditEntries || last.id >= auditID(r.Entry.Time, r.Number) {
			return false
		}
	}
	s.insertAudit(w, *r)
	return true
}

// auditHeap has the logs that are not empty, the one with the oldest entry at the front.
type auditHeap []*auditLog

// before is a total order, so that every node drops the same entries.
func (l *auditLog) before(o *auditLog) bool {
	if a, b := l.list[0].id, o.list[0].id; a != b {
		return a < b
	}
	return l.workspace.id < o.workspace.id
}

func (h auditHeap) swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *auditHeap) push(l *auditLog) {
	l.place = len(*h)
	*h = append(*h, l)
	for i := l.place; i > 0 && l.before((*h)[(i-1)/2]); i = l.place {
		h.swap(i, (i-1)/2)
	}
}

// removeAt takes a log out that has become empty: the one at the front, which had the oldest entry.
func (h *auditHeap) removeAt(i int) {
	last := len(*h) - 1
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	if i < last {
		h.down(i)
	}
}

func (h auditHeap) down(i int) {
	for {
		least := i
		for _, child := range []int{2*i + 1, 2*i + 2} {
			if child < len(h) && h[child].before(h[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}
