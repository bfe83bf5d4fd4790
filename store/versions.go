package store

import "fmt"

// Versions are what a build reads of a ledger. The store knows no ledger: it compares numbers, before anything is changed.
type Versions struct {
	Build          string // names the build in messages; empty: it has no name
	Oldest, Newest uint64 // ledger versions, both included; 0: 1
	Digest         uint64 // the newest definition of the digest; 0: 1
}

// Ledger is what a snapshot says about the ledger in it. What is zero has the default of the first format.
type Ledger struct {
	Digest           []byte // opaque; of all state at the snapshot's index
	DigestDefinition uint64 // how it is made; 0: 1
	Version          uint64 // ledger version; 0: 1
	Build            string // that raised the ledger version last; empty: none did
}

func (v Versions) withDefaults() (Versions, error) {
	v.Oldest, v.Newest, v.Digest = max(1, v.Oldest), max(1, v.Newest), max(1, v.Digest)
	if v.Oldest > v.Newest {
		return v, &Error{Kind: KindInvalid, Message: fmt.Sprintf("the oldest ledger version %d is above the newest %d", v.Oldest, v.Newest)}
	}
	return v, nil
}

// check refuses a ledger version that the build does not read. what has the version, which the build by raised it to.
func (v Versions) check(path, what string, version uint64, by string) error {
	reads := fmt.Sprintf("reads ledger versions %d to %d", v.Oldest, v.Newest)
	if v.Oldest == v.Newest {
		reads = fmt.Sprintf("reads only ledger version %d", v.Newest)
	}
	switch version = max(1, version); {
	case version > v.Newest && by != "":
		return v.refuse(KindNewer, path, fmt.Sprintf("%s has ledger version %d (raised by creditd %s)", what, version, by), reads, startThat(by))
	case version > v.Newest:
		return v.refuse(KindNewer, path, fmt.Sprintf("%s has ledger version %d", what, version), reads, startNewer)
	case version < v.Oldest:
		return v.refuse(KindOlder, path, fmt.Sprintf("%s has ledger version %d", what, version), reads,
			fmt.Sprintf("let an older creditd, which reads both versions %d and %d, raise the ledger version and take a snapshot first", version, v.Oldest))
	}
	return nil
}

// CheckLedger refuses a snapshot that the build does not read. what names it in the message.
func (v Versions) CheckLedger(path, what string, l Ledger) error {
	if err := v.check(path, what, l.Version, l.Build); err != nil {
		return err
	}
	if l.DigestDefinition > v.Digest {
		advice := startNewer
		if l.Build != "" {
			advice = startThat(l.Build)
		}
		return v.refuse(KindNewer, path, fmt.Sprintf("the digest of %s has definition %d", what, l.DigestDefinition),
			fmt.Sprintf("knows definitions up to %d", v.Digest), advice)
	}
	return nil
}

// checkLayout refuses the layout of a directory that the build does not read.
func (v Versions) checkLayout(path string, version int) error {
	found, reads := fmt.Sprintf("the directory has layout version %d", version), fmt.Sprintf("reads layout versions %d to %d", oldestLayout, newestLayout)
	switch {
	case version > newestLayout:
		return v.refuse(KindNewer, path, found, reads, startNewer)
	case version < oldestLayout:
		return v.refuse(KindOlder, path, found, reads, "start the older creditd that wrote it, or name an empty or new directory")
	}
	return nil
}

const startNewer = "start the newer creditd that wrote it"

func startThat(build string) string { return "start creditd " + build + " or newer" }

// refuse says what was found, what the build reads instead, and what to do.
func (v Versions) refuse(kind Kind, path, found, reads, advice string) error {
	build := "this build"
	if v.Build != "" {
		build += " (" + v.Build + ")"
	}
	return &Error{Kind: kind, Path: path, Message: fmt.Sprintf("%s; %s %s: %s", found, build, reads, advice)}
}

// LedgerVersion returns the ledger version that the directory needs, and the build that raised it; empty: none did.
func (s *Store) LedgerVersion() (version uint64, build string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(1, s.id.LedgerVersion), s.id.Build
}

// RaiseLedgerVersion records durably that the directory needs a ledger version, before anything is written that has it. A version that is
// recorded is never lowered. build raised the ledger to it.
func (s *Store) RaiseLedgerVersion(version uint64, build string) error {
	if err := s.reads.check(s.dir, "the ledger", version, build); err != nil {
		return err
	}
	return s.updateIdentity(func(now *identity) error {
		if version > max(1, now.LedgerVersion) {
			now.LayoutVersion, now.LedgerVersion, now.Build = layoutOfLedgerVersions, version, build
		}
		return nil
	})
}
