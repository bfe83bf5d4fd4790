package fsm

import (
	"bytes"
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Freeze starts a snapshot. Only one may be under way.
func (s *State) Freeze() *Frozen {
	return s.freeze(&Frozen{Digest: s.Digest(), Clock: s.clock, Version: s.version, RaisedBy: s.raisedBy}, s.meta())
}

// WriteRecord writes the form and the fields of a record. The kind is part of the record's key.
func WriteRecord(v *fields.Visitor, r Record) {
	t := r.is()
	form := oldestForm(v, r, t.since, t.newest)
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
func ReadRecord(v *fields.Visitor, kind Kind) Record { return RereadRecord(v, kind, nil) }

// RereadRecord is ReadRecord that may use the memory of an earlier record. What was made of that one keeps its lists and texts.
func RereadRecord(v *fields.Visitor, kind Kind, spare Record) Record {
	var form uint64
	if v.Uint(&form); form < OldestLedgerVersion || form > NewestLedgerVersion { // the text is for a failure
		checkForm(v, fmt.Sprintf("a record of kind %d", kind), form)
	}
	row := recordTypes[kind]
	if row == nil {
		v.Fail(fmt.Errorf("unknown kind %d", kind))
		return nil
	}
	v.SetForm(byte(kind), form)
	r := row.create(spare)
	r.fields(v)
	checkOldest(v, r, form, row.since, row.newest)
	return r
}

// CheckInvariants compares the sum of all balances with the totals.
func (s *State) CheckInvariants() error {
	keys := s.keys.sum(func(k *key) uint64 { return k.credit.amount() })
	identities := s.identities.sum(func(i *identity) uint64 { return i.credit.amount() })
	return s.totals.check(keys + identities)
}

// check compares the sum of all balances with the totals.
func (b Totals) check(sum uint64) error {
	if want := b.Outstanding(); sum != want {
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
