package fsm

// core is what every part of the ledger shares: log time, the ledger version, and the record of what changed.
type core struct {
	clock    int64  // log time, Unix ms: the largest stamp applied so far
	index    uint64 // of the log entry that is being applied
	version  uint64 // ledger version
	raisedBy string // the build that raised it last; empty: none did
	tracker
}
