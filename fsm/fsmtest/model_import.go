package fsmtest

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/fsm"
)

// importMark is what a key had in the system that it was imported from. It outlives the key: records.md.
type importMark struct {
	workspace, key        string
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

func (t *Model) markOf(id string) *importMark {
	at := slices.IndexFunc(t.marks, func(m *importMark) bool { return m.key == id })
	if at < 0 {
		return nil
	}
	return t.marks[at]
}

func (t *Model) finishImport(root *rootKey, c *fsm.FinishImport) fsm.Result {
	if r := need(root, "import.*.write"); r != nil {
		return r
	}
	answer := &fsm.ImportFinished{}
	theirs := func(m *importMark) bool { return m.workspace == root.workspace }
	for {
		first := least(t.marks, theirs, func(a, b *importMark) int { return strings.Compare(a.key, b.key) })
		if first == nil || answer.Ended == c.Most {
			answer.More = first != nil
			return answer
		}
		t.marks = slices.DeleteFunc(t.marks, func(m *importMark) bool { return m == first })
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
		if r, ok := i.Record.(*fsm.KeyRecord); ok {
			answer.Outcomes = append(answer.Outcomes, m.takeKey(r, i.Credits))
		} else {
			answer.Outcomes = append(answer.Outcomes, m.takeBalance(i.Record.(*fsm.ImportMarkRecord).Owner, i.Credits))
		}
	}
	return answer
}

var importedBefore = fsm.ImportOutcome{Status: fsm.ImportUnchanged}

func refusedImport(why fsm.ImportReason) fsm.ImportOutcome {
	return fsm.ImportOutcome{Status: fsm.ImportConflict, Reason: why}
}

func (m *importing) conflict(why fsm.ImportReason) fsm.ImportOutcome {
	if m.c.OnConflict == fsm.SkipOnConflict {
		return fsm.ImportOutcome{Status: fsm.ImportSkipped, Reason: why}
	}
	return refusedImport(why)
}

func (m *importing) replaces() bool { return m.c.OnConflict == fsm.ReplaceOnConflict }

// full reports whether a new mark has no room.
func (m *importing) full(mark *importMark) bool {
	q, n := m.workspaceOf(m.root).quotas, int64(0)
	if mark != nil || !m.c.Track || !q[fsm.KeysQuota].Limited || !q[fsm.IdentitiesQuota].Limited || !q[fsm.APIsQuota].Limited {
		return false
	}
	for _, other := range m.marks {
		if other.workspace == m.root.workspace {
			n++
		}
	}
	return n >= q[fsm.KeysQuota].Limit+q[fsm.IdentitiesQuota].Limit+q[fsm.APIsQuota].Limit
}

func (m *importing) takeKey(r *fsm.KeyRecord, n fsm.ImportedCredits) fsm.ImportOutcome {
	mark := m.markOf(r.ID)
	at := slices.IndexFunc(m.keys, func(k *key) bool { return k.id == r.ID })
	var k *key
	if at >= 0 {
		k = m.keys[at]
	}
	switch {
	case k == nil && mark != nil && mark.workspace != m.root.workspace, k != nil && m.apiOf(k).workspace != m.root.workspace:
		return m.conflict(fsm.ImportIDTaken)
	case k == nil && m.full(mark):
		return refusedImport(fsm.ImportOverQuota)
	case k == nil && mark != nil, k != nil && (k.deleted || k.ended || m.apiOf(k).deleted):
		return m.conflict(fsm.ImportDeleted)
	case k != nil && k.api != r.APIID:
		return m.conflict(fsm.ImportImmutable)
	}
	owned := r.IdentityID == "" || slices.ContainsFunc(m.identities, func(i *identity) bool {
		return i.id == r.IdentityID && i.workspace == m.root.workspace && !i.deleted
	})
	if !owned || m.findAPI(m.root, r.APIID) == nil {
		return refusedImport(fsm.ImportNotFound)
	}
	if slices.ContainsFunc(m.rootKeys, func(o *rootKey) bool { return o.hash == r.Hash }) || slices.ContainsFunc(m.keys, func(o *key) bool {
		return o != k && !m.freed(o) && (o.hash == r.Hash || o.former == r.Hash && m.apiOf(o).workspace == m.root.workspace)
	}) {
		return m.conflict(fsm.ImportHashTaken)
	}
	if k != nil {
		return m.settle(k, r, n, mark)
	}
	if m.room(m.root, fsm.Usage{fsm.KeysQuota: 1}) != nil {
		return refusedImport(fsm.ImportOverQuota)
	}
	m.keys = append(m.keys, &key{
		id: r.ID, hash: r.Hash, start: r.Start, api: r.APIID, identity: r.IdentityID, name: r.Name, meta: r.Meta, createdAt: r.CreatedAt,
		updatedAt: r.UpdatedAt, usedAt: r.LastUsedAt, expires: r.Expires, enabled: r.Enabled, account: stated(n),
	})
	m.track(r.ID, nil, n)
	return fsm.ImportOutcome{Status: fsm.ImportCreated}
}

func stated(n fsm.ImportedCredits) account {
	return account{limited: n.Limited, remaining: n.Remaining, refilledAt: n.RefilledAt}
}

func (m *importing) track(id string, mark *importMark, n fsm.ImportedCredits) {
	if mark != nil {
		mark.readAt = max(mark.readAt, m.c.ReadAt)
	} else if m.c.Track {
		m.marks = append(m.marks, &importMark{
			workspace: m.root.workspace, key: id, limited: n.Limited, remaining: n.Remaining, refilledAt: n.RefilledAt, readAt: m.c.ReadAt, exact: m.version >= FifthRules,
		})
	}
}

// settle decides about a key that exists.
func (m *importing) settle(k *key, r *fsm.KeyRecord, n fsm.ImportedCredits, mark *importMark) fsm.ImportOutcome {
	if mark != nil && mark.workspace != m.root.workspace {
		return m.conflict(fsm.ImportIDTaken)
	}
	if m.full(mark) {
		return refusedImport(fsm.ImportOverQuota)
	}
	linked := ""
	if i := m.identityOf(k); i != nil {
		linked = i.id
	}
	same := k.hash == r.Hash && k.former == fsm.Hash{} && k.start == r.Start && linked == r.IdentityID && k.name == r.Name && k.meta == r.Meta &&
		k.createdAt == r.CreatedAt && k.expires == r.Expires && k.enabled == r.Enabled && len(k.limits) == 0 && m.slugsOf(k) == nil && m.rolesOf(k) == nil &&
		(!m.replaces() || k.updatedAt == r.UpdatedAt && k.usedAt >= r.LastUsedAt)
	has := k.spendable(true)
	sameBalance := has == stated(n)
	if mark != nil {
		sameBalance = mark.has(n) && (!n.Limited || !has.limited || has.refill == fsm.Refill{})
	}
	if same && sameBalance {
		m.track(k.id, mark, n)
		return importedBefore
	}
	if !m.replaces() {
		return m.conflict(fsm.ImportDifferent)
	}
	outcome, write, current := fsm.ImportOutcome{Status: fsm.ImportReplaced}, func() {}, mark != nil && !m.stale(mark, n)
	if mark != nil {
		if outcome, write = m.difference(k, mark, n); outcome.Status == fsm.ImportConflict {
			return outcome
		}
		outcome.Status = fsm.ImportReplaced
	}
	if !same {
		if k.lost {
			k.own(account{limited: true})
		}
		k.hash, k.former, k.start, k.identity, k.name, k.meta = r.Hash, fsm.Hash{}, r.Start, r.IdentityID, r.Name, r.Meta
		k.createdAt, k.updatedAt, k.usedAt, k.expires, k.enabled = r.CreatedAt, r.UpdatedAt, max(k.usedAt, r.LastUsedAt), r.Expires, r.Enabled
		k.limits, k.permissions, k.roles = nil, nil, nil
	}
	switch write(); {
	case mark == nil && !sameBalance:
		m.becomes(k, n)
	case current && n.Limited && k.account.limited:
		k.account.refill = fsm.Refill{}
	}
	if mark == nil {
		m.track(k.id, nil, n)
	}
	return outcome
}

// becomes gives a key the balance of the source.
func (m *importing) becomes(k *key, n fsm.ImportedCredits) {
	if k.lost {
		k.own(account{})
	}
	if k.account = stated(n); !n.Limited {
		m.unbind(k)
	}
}

func (k *importMark) has(n fsm.ImportedCredits) bool {
	return k.limited == n.Limited && k.remaining == n.Remaining && k.refilledAt == n.RefilledAt
}

func (m *importing) stale(mark *importMark, n fsm.ImportedCredits) bool {
	return m.c.ReadAt != 0 && m.c.ReadAt < mark.readAt || n.Limited && mark.limited && n.RefilledAt < mark.refilledAt
}

func (m *importing) takeBalance(id string, n fsm.ImportedCredits) fsm.ImportOutcome {
	mark := m.markOf(id)
	ours := mark != nil && mark.workspace == m.root.workspace
	at := slices.IndexFunc(m.keys, func(k *key) bool { return k.id == id && m.apiOf(k).workspace == m.root.workspace })
	switch {
	case at < 0 && ours, at >= 0 && (m.keys[at].deleted || m.keys[at].ended || m.apiOf(m.keys[at]).deleted):
		return m.conflict(fsm.ImportDeleted)
	case at < 0:
		return refusedImport(fsm.ImportNotFound)
	case !ours:
		return m.conflict(fsm.ImportNotTracked)
	case mark.has(n):
		m.track(id, mark, n)
		return importedBefore
	}
	outcome, write := m.difference(m.keys[at], mark, n)
	if outcome.Status == fsm.ImportReplaced {
		write()
	}
	return outcome
}

// base is what a balance of the source counts from, and what later ones will: the newest base that the source's last refill reaches.
func (m *importing) base(has account, mark *importMark, n fsm.ImportedCredits) (base int64, rest []fsm.MarkBase) {
	if !has.limited || !mark.limited || !n.Limited {
		return 0, nil
	}
	seen, limit := n.RefilledAt/dayMillis, mark.refilledAt/dayMillis
	base = mark.remaining
	if !mark.exact {
		if n.RefilledAt > mark.refilledAt && has.refilledAt/dayMillis > limit && has.refill != (fsm.Refill{}) {
			base = has.refill.Amount
		}
		if m.version >= FifthRules && has.refill != (fsm.Refill{}) && has.refilledAt/dayMillis > seen {
			rest = []fsm.MarkBase{{Day: seen + 1, Base: plus(has.refill.Amount, n.Remaining-base)}}
		}
		return base, rest
	}
	for _, b := range mark.bases {
		if b.Day > limit && b.Day <= seen {
			base = b.Base
		}
	}
	for _, b := range mark.bases {
		if b.Day > max(limit, seen) {
			rest = append(rest, fsm.MarkBase{Day: b.Day, Base: plus(b.Base, plus(n.Remaining, -base))})
		}
	}
	return base, rest
}

// difference is the rule of records.md. The refill of a day that both sides gave counts once.
func (m *importing) difference(k *key, mark *importMark, n fsm.ImportedCredits) (fsm.ImportOutcome, func()) {
	has := k.spendable(true)
	base, rest := m.base(has, mark, n)
	move := func() {
		mark.exact, mark.bases = m.version >= FifthRules, rest
		mark.limited, mark.remaining, mark.refilledAt, mark.readAt = n.Limited, n.Remaining, n.RefilledAt, max(mark.readAt, m.c.ReadAt)
	}
	switch {
	case m.stale(mark, n) || mark.has(n):
		return importedBefore, func() {}
	case has.limited != mark.limited:
		return m.conflict(fsm.ImportChangedHere), nil
	case n.Limited != mark.limited && !m.replaces():
		return m.conflict(fsm.ImportChangedThere), nil
	case n.Limited != mark.limited:
		return fsm.ImportOutcome{Status: fsm.ImportReplaced}, func() { m.becomes(k, n); move() }
	}
	outcome, change := fsm.ImportOutcome{Status: fsm.ImportReplaced}, plus(n.Remaining, -base)
	switch {
	case change > 0 && has.remaining > math.MaxInt64-change:
		return m.conflict(fsm.ImportAboveMaximum), nil
	case has.remaining+change < 0 && !m.replaces():
		return m.conflict(fsm.ImportBelowZero), nil
	case has.remaining+change < 0:
		outcome.Shortfall = -(has.remaining + change)
	}
	return outcome, func() {
		if k.lost {
			k.own(account{limited: true})
		}
		k.account.remaining = max(0, has.remaining+change)
		k.account.refilledAt = max(k.account.refilledAt, n.RefilledAt)
		move()
	}
}
