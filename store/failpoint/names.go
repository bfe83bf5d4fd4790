package failpoint

// Name is a failpoint. It consists of the part, the step, and whether the step is done.
type Name string

// The failpoints of raft's log.
const (
	LogBeforeStore    Name = "log-before-store"
	LogAfterStore     Name = "log-after-store"
	LogBeforeTruncate Name = "log-before-truncate"
	LogAfterTruncate  Name = "log-after-truncate"
)

// The failpoints of term, vote and identity, and of files that are written under another name, synced and renamed.
const (
	TermBeforeWrite  Name = "term-before-write"
	TermAfterWrite   Name = "term-after-write"
	VoteHalf         Name = "vote-half" // raft set the term of its vote but not yet the candidate
	VoteBeforeWrite  Name = "vote-before-write"
	VoteAfterWrite   Name = "vote-after-write"
	FileBeforeRename Name = "file-before-rename"
	FileAfterRename  Name = "file-after-rename"
)

// The failpoints of snapshots that are written or received.
const (
	SnapshotCaptured      Name = "snapshot-captured"
	SnapshotBeforeCommit  Name = "snapshot-before-commit" // all pages have changed in memory
	SnapshotAfterCommit   Name = "snapshot-after-commit"
	SnapshotPersisted     Name = "snapshot-persisted"
	CopyReceived          Name = "copy-received" // a part of the file
	CopySynced            Name = "copy-synced"
	CopyVerified          Name = "copy-verified"
	InstallBeforeRename   Name = "install-before-rename"
	InstallAfterRename    Name = "install-after-rename" // before the directory is synced
	InstallAfterSwap      Name = "install-after-swap"
	RestoreBeforeLoad     Name = "restore-before-load"
	RestoreBeforeSwap     Name = "restore-before-swap"
	RestoreAfterSwap      Name = "restore-after-swap"
	OpenBeforeDroppingLog Name = "open-before-dropping-log"
)

// The failpoints on the path of a command.
const (
	EntryBeforePropose   Name = "entry-before-propose"
	EntryAfterPropose    Name = "entry-after-propose"
	EntryBeforeApply     Name = "entry-before-apply"
	EntryAfterApply      Name = "entry-after-apply"
	ReplyBeforeLocal     Name = "reply-before-local" // committed, not yet answered
	ReplyBeforeForwarded Name = "reply-before-forwarded"
	SessionBeforeOpen    Name = "session-before-open"
	SessionAfterOpen     Name = "session-after-open"
	CallIDBeforeSettle   Name = "call-id-before-settle"
	TermGained           Name = "term-gained"
	TermServing          Name = "term-serving"
	LedgerFounded        Name = "ledger-founded"
)

// All lists the failpoints, in the order above.
func All() []Name {
	return []Name{
		LogBeforeStore, LogAfterStore, LogBeforeTruncate, LogAfterTruncate,
		TermBeforeWrite, TermAfterWrite, VoteHalf, VoteBeforeWrite, VoteAfterWrite, FileBeforeRename, FileAfterRename,
		SnapshotCaptured, SnapshotBeforeCommit, SnapshotAfterCommit, SnapshotPersisted,
		CopyReceived, CopySynced, CopyVerified, InstallBeforeRename, InstallAfterRename, InstallAfterSwap,
		RestoreBeforeLoad, RestoreBeforeSwap, RestoreAfterSwap, OpenBeforeDroppingLog,
		EntryBeforePropose, EntryAfterPropose, EntryBeforeApply, EntryAfterApply, ReplyBeforeLocal, ReplyBeforeForwarded,
		SessionBeforeOpen, SessionAfterOpen, CallIDBeforeSettle, TermGained, TermServing, LedgerFounded,
	}
}
