package fsm

import "fmt"

// The ledger versions that this build reads. A ledger begins with the oldest one, and never falls back: see RaiseLedgerVersion.
//
// 1 is the first format. 2 adds the ledger version itself.
const OldestLedgerVersion uint64 = 1

// newestRelease is the newest version of a normal build. The build for tests of upgrades has one more.
const newestRelease uint64 = 2

// VersionError says that something needs a ledger version which this build does not read.
type VersionError struct {
	What    string // the thing, with its article
	Version uint64 // that it needs
	Build   string // one that reads it; empty: unknown
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

// CheckLedgerVersion returns a *VersionError unless this build reads the version. build is one that wrote it, or empty.
func CheckLedgerVersion(what string, version uint64, build string) error {
	if version < OldestLedgerVersion || version > NewestLedgerVersion {
		return &VersionError{What: what, Version: version, Build: build}
	}
	return nil
}
