package fsm

import (
	"bytes"
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Freeze starts a snapshot. Only one may be under way.
func (s *State) Freeze() *Frozen {
	return s.freeze(&Frozen{Digest: s.Digest(), Clock: s.clock, Version: s.version, RaisedBy: s.raisedBy}, s.meta(), s.retaken)
}

// retaken reports whether another record has taken the name of a removed one and changed in the present generation.
func (s *State) retaken(name RecordKey) bool {
	n := recordTypes[name.Kind].live(s, name.ID)
	return n != nil && n.header().gen == s.gen
}

// WriteRecord writes the form and the fields of a record. The kind is part of the record's key.
func WriteRecord(v *fields.Visitor, r Record) {
	t := r.is()
	form := oldestForm(r, t.since, t.newest)
	v.Uint(&form)
	v.SetForm(byte(t.kind), form)
	r.fields(v)
}

// sameRecord reports whether two records of one kind have the same bytes.
func sameRecord(a, b Record) bool {
	v, w := fields.NewWriter(nil), fields.NewWriter(nil)
	WriteRecord(v, a)
	WriteRecord(w, b)
	return bytes.Equal(v.Bytes(), w.Bytes())
}

// ReadRecord reads a record of a kind. Fields that are younger than the record's form get their defaults.
func ReadRecord(v *fields.Visitor, kind Kind) Record {
	var form uint64
	v.Uint(&form)
	checkForm(v, fmt.Sprintf("a record of kind %d", kind), form)
	row := recordTypes[kind]
	if row == nil {
		v.Fail(fmt.Errorf("unknown kind %d", kind))
		return nil
	}
	v.SetForm(byte(kind), form)
	r := row.create()
	r.fields(v)
	checkOldest(v, r, form, row.since, row.newest)
	return r
}

// Loader rebuilds a State from the records of a snapshot. Finish checks the state as a whole before anybody sees it.
type Loader struct {
	state *State
	meta  bool
	last  Kind
}

// NewLoader starts with an empty state.
func NewLoader() *Loader { return &Loader{state: New()} }

// Add loads one record. Records must come in the order of their kinds, and audit entries in the order of their names. Anything else is an
// error, and so is a record that breaks a rule of the ledger.
func (l *Loader) Add(r Record) error {
	name := r.Key()
	if name.Kind < l.last {
		return fmt.Errorf("record %v after one of kind %d", name, l.last)
	}
	l.last = name.Kind
	repeated := name.Kind == MetaKind && l.meta
	l.meta = l.meta || name.Kind == MetaKind
	if repeated || !recordTypes[name.Kind].load(l.state, r) {
		return fmt.Errorf("record %v is repeated, refers to a record that is missing, or breaks a rule of the ledger", name)
	}
	return nil
}

// Finish checks the digest and the totals and returns the state. The loader must not be used afterwards.
func (l *Loader) Finish(want Digest) (*State, error) {
	s := l.state
	if !l.meta {
		return nil, fmt.Errorf("the ledger's own record is missing")
	}
	if got := s.Digest(); got != want {
		return nil, fmt.Errorf("digest is %v, want %v", got, want)
	}
	if err := s.CheckInvariants(); err != nil {
		return nil, err
	}
	// What was loaded is on disk already.
	for _, n := range s.dirty {
		n.header().gen = clean
	}
	s.dirty = nil
	return s, nil
}

// CheckInvariants compares the sum of all balances with the totals.
func (s *State) CheckInvariants() error {
	var sum uint64
	for _, k := range s.keys { // order-free: a sum
		if k.credit.limited() {
			sum += uint64(k.credit.remaining)
		}
	}
	for _, i := range s.identities { // order-free: a sum
		if i.credit.limited() {
			sum += uint64(i.credit.remaining)
		}
	}
	if want := s.totals.Outstanding(); sum != want {
		return fmt.Errorf("balances add up to %d, the totals say %d", sum, want)
	}
	return nil
}

// meta is the ledger's own record.
func (s *State) meta() *MetaRecord {
	return &MetaRecord{ClusterID: s.clusterID, Clock: s.clock, Totals: s.totals, Sessions: s.opened, LedgerVersion: s.version, RaisedBy: s.raisedBy}
}

// loadMeta comes first: a State that was loaded from nothing has no cluster id and no time.
func (s *State) loadMeta(r *MetaRecord) bool {
	s.clusterID, s.clock, s.totals, s.opened = r.ClusterID, r.Clock, r.Totals, r.Sessions
	s.version, s.raisedBy = r.LedgerVersion, r.RaisedBy
	return r.Clock >= 0 && r.LedgerVersion >= OldestLedgerVersion && r.LedgerVersion <= NewestLedgerVersion
}
