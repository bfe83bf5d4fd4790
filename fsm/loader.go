package fsm

import "fmt"

// Loader rebuilds a State from the records of a snapshot. Finish checks the state as a whole before anybody sees it.
type Loader struct {
	state  *State
	meta   bool
	last   Kind
	loaded loading
}

// NewLoader starts with an empty state.
func NewLoader() *Loader {
	l := &Loader{state: New()}
	l.state.loading = &l.loaded
	return l
}

// Expect makes room for so many records of a kind, before the first is added. It is no promise.
func (l *Loader) Expect(kind Kind, n int) {
	switch s := l.state; kind {
	case PermissionKind:
		s.permissions, s.permissionSlugs = make(map[string]*permission, n), make(map[foldedName]*permission, n)
	case IdentityKind:
		s.identities.reserve(n)
		s.external.reserve(n)
	case KeyKind:
		s.keys.reserve(n)
		s.keyByHash.reserve(n)
		s.loaded.list = make([]*key, 0, n)
	case WindowKind:
		s.windows.reserve(n)
		s.rateLimits.expiries = make(deadlines[*window], 0, n)
	case IdempotencyKind:
		s.byKey.reserve(n)
		s.idempotencyStore.expiries = make(deadlines[*idempotencyRecord], 0, n)
	case AuditKind:
		s.auditStore.expiries = make(deadlines[*auditEntry], 0, n)
	}
}

// Add loads one record. Records must come in the order of their kinds, and audit entries in the order of their names. Anything else is an
// error, and so is a record that breaks a rule of the ledger.
func (l *Loader) Add(r Record) error {
	kind := KindOf(r)
	if kind < l.last {
		return fmt.Errorf("record %v after one of kind %d", r.Key(), l.last)
	}
	l.last = kind
	repeated := kind == MetaKind && l.meta
	l.meta = l.meta || kind == MetaKind
	if repeated || !recordTypes[kind].load(l.state, r) {
		return fmt.Errorf("record %v is repeated, refers to a record that is missing, or breaks a rule of the ledger", r.Key())
	}
	return nil
}

// Added is what was loaded since the last call. Its digest is part of the ledger's, and does not change any more. The next one may use the
// memory of an earlier one.
func (l *Loader) Added(earlier Added) Added {
	added := Added{l.loaded.added}
	l.loaded.added = earlier.list[:0]
	return added
}

// Added is a part of what a Loader has loaded.
type Added struct{ list []entity }

// Digest is the sum of the digests of all that was added. Other parts may be loaded meanwhile, by another goroutine.
func (a Added) Digest() (sum Digest) {
	for _, n := range a.list {
		sum = sum.Plus(n.digest())
	}
	return sum
}

// Sum adds the digests of what Added returned.
func (l *Loader) Sum(d Digest) { l.state.sum = l.state.sum.Plus(d) }

// Finish checks the digest and the totals and returns the state. The loader must not be used afterwards.
func (l *Loader) Finish(want Digest) (*State, error) {
	s := l.settled()
	if !l.meta {
		return nil, fmt.Errorf("the ledger's own record is missing")
	}
	if got := s.Digest(); got != want {
		return nil, fmt.Errorf("digest is %v, want %v", got, want)
	}
	if err := s.totals.check(l.loaded.outstanding); err != nil {
		return nil, err
	}
	return s, nil
}

// settled is the state with everything in its digest. From now on, changes are dirty.
func (l *Loader) settled() *State {
	l.Sum(l.Added(Added{}).Digest())
	l.state.loading, l.state.loaded = nil, loadedKeys{}
	return l.state
}
