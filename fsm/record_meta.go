package fsm

import "github.com/creditd/creditd/fsm/fields"

// MetaRecord is the record of the ledger itself.
type MetaRecord struct {
	ClusterID string
	Clock     int64
	Totals    Totals
	Sessions  uint64 // number of sessions ever opened; it is the id of the last one
	// LedgerVersion and RaisedBy came with ledger version 2. The default of LedgerVersion is 1.
	LedgerVersion uint64
	RaisedBy      string // the build that raised the version last; empty: none did
}

var metaRecordType = recordType{kind: MetaKind, since: 1, newest: 2, create: func(Record) Record { return &MetaRecord{LedgerVersion: 1} }}

func (*MetaRecord) is() *recordType { return &metaRecordType }

// Key names the record.
func (r *MetaRecord) Key() RecordKey { return RecordKey{MetaKind, ""} }

func (r *MetaRecord) fields(v *fields.Visitor) {
	v.String(&r.ClusterID)
	if !v.Hashing() { // so that reads do not change the digest
		v.Int(&r.Clock)
	}
	v.Uint(&r.Totals.Granted)
	v.Uint(&r.Totals.Withdrawn)
	v.Uint(&r.Totals.Debited)
	v.Uint(&r.Sessions)
	if v.Added(2, r.LedgerVersion != 1 || r.RaisedBy != "") {
		v.Uint(&r.LedgerVersion)
		v.String(&r.RaisedBy)
	}
	if v.Reading() && v.Err() == nil {
		if err := CheckLedgerVersion("the ledger", r.LedgerVersion, r.RaisedBy); err != nil {
			v.Fail(err)
		}
	}
}

// Totals are the sums of all credits ever moved, modulo 2^64 so that no sum can overflow.
//
// Invariant: Granted − Withdrawn − Debited equals the sum of all balances, modulo 2^64.
type Totals struct {
	Granted   uint64 // by creation, set, increment and refill
	Withdrawn uint64 // by set and decrement, by turning unlimited, and by permanent deletion
	Debited   uint64 // by verifications
}

// Outstanding is the sum of all balances according to the totals.
func (b Totals) Outstanding() uint64 { return b.Granted - b.Withdrawn - b.Debited }
