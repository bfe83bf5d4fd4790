package fsmtest

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/fsm"
)

// importMark is what an owner had in the system that it was imported from. It outlives its owner: records.md.
type importMark struct {
	workspace, owner      string
	of                    fsm.MarkedKind
	limited               bool
	remaining, refilledAt int64
	readAt                int64

	exact bool // made or moved since ledger version 5
	bases []fsm.MarkBase
}

// midnight is what a due day does to the base of a tracked balance: records.md. has is the balance just before.
func (k *importMark) midnight(has account, day time.Time) {
	if !k.exact || !k.limited || !has.limited || !due(has.refill, day) {
		return
	}
	last, given := k.remaining, max(0, has.refill.Amount-has.remaining)
	if n := len(k.bases); n > 0 {
		last = k.bases[n-1].Base
	}
	base := min(has.remaining+given, plus(last, given))
	if base == last {
		return
	}
	if len(k.bases) == 8 { // the oldest two become one
		k.bases[1].Day = k.bases[0].Day
		k.bases = k.bases[1:]
	}
	k.bases = append(k.bases, fsm.MarkBase{Day: day.UnixMilli() / dayMillis, Base: base})
}

const dayMillis = 24 * 60 * 60 * 1000

// plus is a+b, at most 1<<63-1 on both sides of 0.
func plus(a, b int64) int64 {
	sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
	most := big.NewInt(math.MaxInt64)
	if sum.CmpAbs(most) > 0 {
		return int64(sum.Sign()) * math.MaxInt64
	}
	return sum.Int64()
}

// id gives the order of marks.
func (k *importMark) id() string { return [...]string{"k/", "i/", "a/"}[k.of] + k.owner }

func (t *Model) markOf(of fsm.MarkedKind, owner string) *importMark {
	return first(t.marks, func(m *importMark) bool { return m.of == of && m.owner == owner })
}

// first is the first of a list that meets a condition, or nil.
func first[T any](list []*T, meets func(*T) bool) *T {
	if at := slices.IndexFunc(list, meets); at >= 0 {
		return list[at]
	}
	return nil
}

func (t *Model) getImport(root *rootKey, q *fsm.GetImport) fsm.Result {
	of := q.WorkspaceID
	if of == "" {
		of = root.workspace
	}
	if r := need(root, "import.*.write"); r != nil {
		return r
	}
	if r := need(root, "cluster.*.operate"); r != nil && of != root.workspace {
		return r
	}
	if !slices.ContainsFunc(t.workspaces, func(w *workspace) bool { return w.id == of }) {
		return &fsm.Refusal{Code: fsm.WorkspaceNotFound}
	}
	answer := &fsm.ImportState{ClusterID: t.clusterID, WorkspaceID: of}
	for _, m := range t.marks {
		if m.workspace == of {
			answer.Followed++
		}
	}
	return answer
}

func (t *Model) finishImport(root *rootKey, c *fsm.FinishImport) fsm.Result {
	if r := need(root, "import.*.write"); r != nil {
		return r
	}
	answer := &fsm.ImportFinished{}
	theirs := func(m *importMark) bool { return m.workspace == root.workspace }
	for {
		next := least(t.marks, theirs, func(a, b *importMark) int { return strings.Compare(a.id(), b.id()) })
		if next == nil || answer.Ended == c.Most {
			answer.More = next != nil
			return answer
		}
		t.marks = slices.DeleteFunc(t.marks, func(m *importMark) bool { return m == next })
		answer.Ended++
	}
}

// importing is one import under way.
type importing struct {
	*Model
	root *rootKey
	c    *fsm.ImportRecords
}

func (t *Model) importRecords(root *rootKey, c *fsm.ImportRecords) fsm.Result {
	if r := need(root, "import.*.write"); r != nil {
		return r
	}
	answer, m := &fsm.Imported{Outcomes: []fsm.ImportOutcome{}}, importing{t, root, c}
	for _, i := range c.Items {
		answer.Outcomes = append(answer.Outcomes, m.take(i))
	}
	return answer
}

func (m *importing) operator() bool { return need(m.root, "cluster.*.operate") == nil }

// take decides about one record.
func (m *importing) take(i fsm.ImportItem) fsm.ImportOutcome {
	w := i.WorkspaceID
	if w == "" {
		w = m.root.workspace
	}
	_, makesRoot := i.Record.(*fsm.RootKeyRecord)
	_, makesWorkspace := i.Record.(*fsm.WorkspaceRecord)
	switch {
	case !m.operator() && w != m.root.workspace:
		return invalidImport(fsm.ImportOperatorOnly)
	case i.Credits.Remaining < 0:
		return invalidImport(fsm.ImportOverLimit)
	case !m.operator() && (makesRoot || makesWorkspace):
		return invalidImport(fsm.ImportOperatorOnly)
	case !makesWorkspace && !m.hasWorkspace(w):
		return refusedImport(fsm.ImportNotFound)
	}
	switch r := i.Record.(type) {
	case *fsm.WorkspaceRecord:
		return m.takeWorkspace(r)
	case *fsm.RootKeyRecord:
		return m.takeRootKey(w, r)
	case *fsm.APIRecord:
		return m.takeAPI(w, r)
	case *fsm.MigrationRecord:
		return m.takeMigration(w, r)
	case *fsm.PermissionRecord:
		return m.takePermission(w, r)
	case *fsm.RoleRecord:
		return m.takeRole(w, r)
	case *fsm.IdentityRecord:
		return m.takeIdentity(w, r, i.Credits)
	case *fsm.KeyRecord:
		return m.takeKey(w, r, i.Credits)
	case *fsm.NamespaceRecord:
		return m.takeNamespace(w, r)
	case *fsm.OverrideRecord:
		return m.takeOverride(w, r)
	case *fsm.ImportMarkRecord:
		return m.takeBalance(w, r, i.Credits)
	}
	panic("fsmtest: a record that no import has")
}

var importedBefore = fsm.ImportOutcome{Status: fsm.ImportUnchanged}

var imported = fsm.ImportOutcome{Status: fsm.ImportCreated}

func refusedImport(why fsm.ImportReason) fsm.ImportOutcome {
	return fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: why}
}

func invalidImport(why fsm.ImportReason) fsm.ImportOutcome {
	return fsm.ImportOutcome{Status: fsm.ImportInvalid, Reason: why}
}

func (m *importing) conflict(why fsm.ImportReason) fsm.ImportOutcome {
	if m.c.OnConflict == fsm.SkipOnConflict {
		return fsm.ImportOutcome{Status: fsm.ImportSkipped, Reason: why}
	}
	return refusedImport(why)
}

func (m *importing) replaces() bool { return m.c.OnConflict == fsm.ReplaceOnConflict }

// settle is the outcome for a thing that exists and has no balance.
func (m *importing) settle(same bool, write func()) fsm.ImportOutcome {
	switch {
	case same:
		return importedBefore
	case !m.replaces():
		return m.conflict(fsm.ImportDifferent)
	}
	write()
	return fsm.ImportOutcome{Status: fsm.ImportReplaced}
}

// full reports whether the quota of a workspace has no room for one more.
func (m *importing) full(w string, kind fsm.QuotaKind) bool {
	of := m.workspaceNamed(w)
	q := of.quotas[kind]
	return q.Limited && m.usage(of)[kind]+1 > q.Limit
}

// marksFull reports whether a new mark has no room.
func (m *importing) marksFull(w string, mark *importMark) bool {
	q, n := m.workspaceNamed(w).quotas, int64(0)
	if mark != nil || !m.c.Track || !q[fsm.KeysQuota].Limited || !q[fsm.IdentitiesQuota].Limited || !q[fsm.APIsQuota].Limited {
		return false
	}
	for _, other := range m.marks {
		if other.workspace == w {
			n++
		}
	}
	return n >= q[fsm.KeysQuota].Limit+q[fsm.IdentitiesQuota].Limit+q[fsm.APIsQuota].Limit
}

// marked is what a mark says about a thing that may have one; ok: the thing may be made or replaced.
func (m *importing) marked(w string, mark *importMark, exists bool) (outcome fsm.ImportOutcome, ok bool) {
	switch {
	case mark != nil && mark.workspace != w:
		return m.conflict(fsm.ImportIDTaken), false
	case m.marksFull(w, mark):
		return refusedImport(fsm.ImportOverQuota), false
	case mark != nil && !exists:
		return m.conflict(fsm.ImportDeleted), false
	}
	return fsm.ImportOutcome{}, true
}
