//go:build nextversion

package fsm

import "github.com/creditd/creditd/fsm/fields"

// NewestLedgerVersion is one more than in a normal build. That version is only for tests of upgrades. It adds one thing of each sort.
const NewestLedgerVersion = newestRelease + 1

const nextVersion = NewestLedgerVersion

// nextCredit is a field of a hot record, which is changed and hashed with every debit.
type nextCredit struct {
	Debits uint64 // since the ledger has the version, and the record exists
}

func (n *nextCredit) debited(version uint64) {
	if version >= nextVersion {
		n.Debits++
	}
}

func (n *nextCredit) fields(v *fields.Visitor) {
	if v.Added(nextVersion, n.Debits != 0) {
		v.Uint(&n.Debits)
	}
}

// hashTo hashes what fields shows without the visitor.
func (n *nextCredit) hashTo(h *fields.Hasher) {
	if n.Debits != 0 {
		h.Word(nextVersion)
		h.Word(n.Debits)
	}
}

func (n *nextCredit) verdict() nextVerdict { return nextVerdict{n.Debits} }

// nextWorkspace is a field of a cold record.
type nextWorkspace struct {
	Notes uint64 // ever written
}

func (n *nextWorkspace) fields(v *fields.Visitor) {
	if v.Added(nextVersion, n.Notes != 0) {
		v.Uint(&n.Notes)
	}
}

// nextVerdict is a field of a result that sessions and idempotency records keep.
type nextVerdict struct {
	Debits uint64 // of the record that pays
}

func (n *nextVerdict) fields(v *fields.Visitor) {
	if v.Added(nextVersion, n.Debits != 0) {
		v.Uint(&n.Debits)
	}
}

var nextResults = []*resultType{&annotatedResultType}

// Annotated is the answer to AnnotateKey.
type Annotated struct {
	Notes uint64 // ever written in the workspace
}

var annotatedResultType = resultType{kind: 200, since: nextVersion, answers: true, create: createResult[Annotated]}

func (*Annotated) is() *resultType { return &annotatedResultType }

func (r *Annotated) fields(v *fields.Visitor) { v.Uint(&r.Notes) }
