//go:build !nextversion

package fsm

// NewestLedgerVersion is the newest ledger version that this build reads and writes.
const NewestLedgerVersion uint64 = 2

// commandsEvolve says whether any command of a client needs more than the first ledger version. Until one does, Apply need not ask.
const commandsEvolve = false
