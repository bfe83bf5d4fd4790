package replica

import (
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// Reads is what this build reads of a ledger, for store.Options. build names it.
func Reads(build string) store.Versions {
	return store.Versions{Build: build, Oldest: fsm.OldestLedgerVersion, Newest: fsm.NewestLedgerVersion, Digest: fsm.DigestDefinition}
}
