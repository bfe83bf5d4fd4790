package fsm

// core is the state that all parts of the ledger share: log time, the ledger version, and the record of changes.
type core struct {
	clock    int64  // log time, Unix ms: the largest stamp applied so far
	index    uint64 // of the present log entry
	version  uint64 // ledger version
	raisedBy string // the build that raised it last; empty: none
	tracker
}
