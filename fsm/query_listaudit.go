package fsm

import "sort"

// ListAudit asks for audit entries of the caller's workspace, newest first. An empty ResourceID, ActorID or Event matches all.
type ListAudit struct {
	ResourceID string
	ActorID    string
	Event      string // the name
	From       int64  // Unix ms, inclusive
	To         int64  // Unix ms, exclusive, or Never
	Page       Page
}

// answer examines a bounded number of entries, because it delays the log. A page may end before it is full.
func (q *ListAudit) answer(s *State, root *rootKey) Result {
	if !root.may(ReadAuditPermission, "") {
		return ReadAuditPermission.missing("")
	}
	answer := &AuditEntries{}
	l := root.workspace.audit
	if l == nil {
		return answer
	}
	left := newPageBudget()
	for i := sort.Search(len(l.list), func(i int) bool { return q.above(l.list[i]) }) - 1; i >= 0; i-- {
		e := l.list[i]
		shown := &e.entry.Entry
		switch {
		case e.deadline() <= s.clock || shown.Time < q.From:
			return answer
		case len(answer.List) == q.Page.Limit || !left.examine(examinedResource*len(shown.Resources)):
			answer.Next = e.id
			return answer
		case q.selects(shown):
			answer.List = append(answer.List, *shown)
			left.work -= sizeOf(shown)
		}
	}
	return answer
}

// above reports whether an entry is newer than the first one of the page.
func (q *ListAudit) above(e *auditEntry) bool {
	return q.Page.Cursor != "" && e.id > q.Page.Cursor || e.entry.Entry.Time >= q.To
}

func (q *ListAudit) selects(e *AuditEntry) bool {
	if q.ActorID != "" && q.ActorID != e.ActorID || q.Event != "" && q.Event != e.Event.String() {
		return false
	}
	if q.ResourceID == "" {
		return true
	}
	for i := range e.Resources {
		if e.Resources[i].ID == q.ResourceID {
			return true
		}
	}
	return false
}
