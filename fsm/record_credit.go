package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreditRecord is a balance at rest.
type CreditRecord struct {
	Owner      string
	Identity   bool // whether the owner is an identity
	Remaining  int64
	Refill     Refill
	RefilledAt int64
	Considered int64 // day since 1970-01-01
	nextCredit
}

var (
	identityCreditRecordType = recordType{kind: IdentityCreditKind, since: 1, newest: nextVersion, create: createRecord[CreditRecord]}
	keyCreditRecordType      = recordType{kind: KeyCreditKind, since: 1, newest: nextVersion, create: createRecord[CreditRecord]}
)

func (r *CreditRecord) is() *recordType {
	if r.Identity {
		return &identityCreditRecordType
	}
	return &keyCreditRecordType
}

// Key names the record.
func (r *CreditRecord) Key() RecordKey { return creditKey(r.Owner, r.Identity) }

func creditKey(owner string, identity bool) RecordKey {
	if identity {
		return RecordKey{IdentityCreditKind, owner}
	}
	return RecordKey{KeyCreditKind, owner}
}

func (r *CreditRecord) fields(v *fields.Visitor) {
	v.String(&r.Owner)
	v.Bool(&r.Identity)
	v.Int(&r.Remaining)
	r.Refill.fields(v)
	v.Int(&r.RefilledAt)
	v.Int(&r.Considered)
	r.nextCredit.fields(v)
}
