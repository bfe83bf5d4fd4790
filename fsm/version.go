package fsm

import "fmt"

// OldestLedgerVersion is the oldest ledger version that this build reads. A new ledger has it; see RaiseLedgerVersion. Version 1 is the
// first format. Version 2 adds the ledger version itself, and the rules of secondRules.
const OldestLedgerVersion uint64 = 1

// newestRelease is the newest version that a normal build reads. The build for tests of upgrades reads one more.
const newestRelease uint64 = 5

// secondRules is the ledger version that brought the rules D-23, D-25, D-26 and D-27 of the contract. An older ledger keeps the rules before.
const secondRules uint64 = 2

// thirdRules is the ledger version that brought the limits D-32 to D-36 of the contract.
const thirdRules uint64 = 3

// fourthRules is the ledger version that brought the rule D-65 of the contract.
const fourthRules uint64 = 4

// fifthRules is the ledger version that brought the bases of marks (see records.md) and the rules D-104 and D-105 of the contract.
const fifthRules uint64 = 5

// VersionError is the failure to read something that needs another ledger version than this build has.
type VersionError struct {
	What    string // the thing, with an article
	Version uint64 // the version that it needs
	Build   string // a build that reads it; empty: unknown
}

// Error names both versions, and the build to use.
func (e *VersionError) Error() string {
	advice := "use a newer build of creditd"
	if e.Version < OldestLedgerVersion {
		advice = "use an older build of creditd first"
	} else if e.Build != "" {
		advice = "use creditd " + e.Build + " or a newer build"
	}
	return fmt.Sprintf("%s needs ledger version %d, and this build reads versions %d to %d: %s",
		e.What, e.Version, OldestLedgerVersion, NewestLedgerVersion, advice)
}

// CheckLedgerVersion returns a *VersionError unless this build reads the version. build is a build that wrote it, or empty.
func CheckLedgerVersion(what string, version uint64, build string) error {
	if version < OldestLedgerVersion || version > NewestLedgerVersion {
		return &VersionError{What: what, Version: version, Build: build}
	}
	return nil
}
