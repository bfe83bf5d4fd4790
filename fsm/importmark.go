package fsm

import "math"

// importStore holds what the owners of imported balances had in the system that they came from.
type importStore struct {
	*core
	tenants *tenancy
	marks   map[string]*importMark // by the id of the record; nil: there are none
}

// importMark is the last balance of the source that the ledger has taken into account. The next one counts by its difference, so a
// repetition counts nothing. It stays when its owner is deleted, so that a repetition does not bring the owner back with its credits.
type importMark struct {
	entityHeader
	workspace  *workspace
	owner      string
	of         MarkedKind
	limited    bool
	remaining  int64
	refilledAt int64
	readAt     int64
	exact      bool       // bases has every refill that the ledger gave since the mark was made or moved
	bases      []MarkBase // never changed in place
}

func (m *importMark) id() string { return markID(m.owner, m.of) }

func (m *importMark) key() RecordKey { return RecordKey{ImportMarkKind, m.id()} }

func (m *importMark) record() Record {
	return &ImportMarkRecord{
		Owner: m.owner, Of: m.of, WorkspaceID: m.workspace.id, Limited: m.limited, Remaining: m.remaining,
		RefilledAt: m.refilledAt, ReadAt: m.readAt, Exact: m.exact, Bases: m.bases,
	}
}

func (m *importMark) digest() Digest { return digestOf(m.record()) }

func (*importMark) resource() AuditResource { return AuditResource{} }

func (m *importMark) listID() string { return m.id() }

func (*importMark) listPrefix() string { return "k/key_" }

func (x *importStore) markOf(id string) *importMark { return x.marks[id] }

func (x *importStore) addMark(m *importMark) {
	if x.marks == nil {
		x.marks = make(map[string]*importMark)
	}
	x.marks[m.id()] = m
	m.workspace.marks.insert(m)
	m.workspace.marked++
	x.add(m)
}

// marksFull reports whether a workspace has no room for one more mark: it may have as many as its quotas of keys, identities and APIs
// together. So who deletes what he imports, and imports again, cannot fill the ledger.
func (w *workspace) marksFull() bool {
	var most int64
	for _, kind := range []QuotaKind{KeysQuota, IdentitiesQuota, APIsQuota} {
		q := w.quotas[kind]
		if !q.Limited || q.Limit > math.MaxInt64-most {
			return false
		}
		most += q.Limit
	}
	return w.marked >= most
}

func (x *importStore) dropMark(m *importMark) {
	x.remove(m)
	delete(x.marks, m.id())
	m.workspace.marks.remove(m)
	m.workspace.marked--
}

// endMarks ends the first so many marks of a workspace, in the order of their ids: creditd migrate asks for the first ones.
func (x *importStore) endMarks(w *workspace, most int64) (ended int64, more bool) {
	for ; ended < most; ended++ {
		m, ok := w.marks.first()
		if !ok {
			return ended, false
		}
		x.dropMark(m)
	}
	_, more = w.marks.first()
	return ended, more
}

func (x *importStore) loadMark(r *ImportMarkRecord) bool {
	w := x.tenants.workspaces[r.WorkspaceID]
	if w == nil || r.Remaining < 0 || !r.Limited && (r.Remaining != 0 || len(r.Bases) > 0) || len(r.Bases) > maxBases || len(r.Bases) > 0 && !r.Exact || x.marks[markID(r.Owner, r.Of)] != nil {
		return false
	}
	x.addMark(&importMark{
		workspace: w, owner: r.Owner, of: r.Of, limited: r.Limited, remaining: r.Remaining,
		refilledAt: r.RefilledAt, readAt: r.ReadAt, exact: r.Exact, bases: r.Bases,
	})
	return true
}
