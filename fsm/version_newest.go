//go:build !nextversion

package fsm

import "github.com/creditd/creditd/fsm/fields"

// NewestLedgerVersion is the newest ledger version that this build reads and writes.
const NewestLedgerVersion = newestRelease

// The tag nextversion makes a build with one more ledger version, for tests of upgrades: see version_next.go. These types add nothing.

const nextVersion = 0

type (
	nextCredit    struct{}
	nextWorkspace struct{}
	nextVerdict   struct{}
)

func (*nextCredit) debited(uint64) {}

func (*nextCredit) fields(*fields.Visitor) {}

func (*nextCredit) hashTo(*fields.Hasher) {}

func (*nextCredit) verdict() (v nextVerdict) { return v }

func (*nextWorkspace) fields(*fields.Visitor) {}

func (*nextVerdict) fields(*fields.Visitor) {}

var nextResults []*resultType
