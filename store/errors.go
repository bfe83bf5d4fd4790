package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kind says what went wrong, for callers that must act on it.
type Kind string

// The kinds of Error.
const (
	KindLocked  Kind = "locked"   // another process uses the directory
	KindForeign Kind = "foreign"  // the directory holds something else
	KindNewer   Kind = "newer"    // written by a newer version
	KindOlder   Kind = "older"    // written by an older version, in a format that is no longer read
	KindLogKind Kind = "log_kind" // created with another kind of log
	KindMissing Kind = "missing"  // a part of the state was removed
	KindDamaged Kind = "damaged"  // content fails its checks
	KindDiffers Kind = "differs"  // the ledger differed from that of the other nodes
	KindRemoved Kind = "removed"  // the node left its cluster for good
	KindFull    Kind = "full"     // no space left
	KindFailed  Kind = "failed"   // the system refused a call
	KindStalled Kind = "stalled"  // a call does not return
	KindStale   Kind = "stale"    // a snapshot was replaced, or came too late
	KindInvalid Kind = "invalid"  // the caller's mistake
	KindClosed  Kind = "closed"   // used after Close
)

// Error is the error of this package. It tells the kind, the file, what happened and what to do.
type Error struct {
	Kind    Kind
	Path    string // the file or directory concerned; may be empty
	Message string
	Err     error // the cause; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("store: ")
	if e.Path != "" {
		b.WriteString(e.Path)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Kind: k}) match by kind alone.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Path == "" && t.Message == "" && t.Err == nil
}

// KindOf returns the kind of the first Error in err's chain, or "".
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

var errClosed = &Error{Kind: KindClosed, Message: "the store is closed"}

const (
	rebuildNode = "rebuild this node: move its data directory away and start it as before, with an empty one; " +
		"it gets a new id, a snapshot from its peers and the place of the old one (a single node needs a backup)"
	freeSpace = "free some space on this file system and start again"
)

func damaged(path, format string, args ...any) *Error {
	return &Error{Kind: KindDamaged, Path: path, Message: fmt.Sprintf(format, args...) + "; " + rebuildNode}
}

// ioError classifies an error of the operating system or of bbolt. It returns an *Error unchanged.
func ioError(path, doing string, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	if isFull(err) {
		return &Error{Kind: KindFull, Path: path, Message: doing + " failed, the disk is full; " + freeSpace, Err: err}
	}
	if lacksDescriptors(err) {
		return &Error{Kind: KindFailed, Path: path, Message: fmt.Sprintf(
			"%s failed, the process has used up its file descriptors%s; raise the limit (ulimit -n, or LimitNOFILE of systemd) or lower --max-connections, and start again",
			doing, descriptorLimit()), Err: err}
	}
	return &Error{Kind: KindFailed, Path: path, Message: doing + " failed", Err: err}
}

// lacksDescriptors reports whether the process, or the machine, could open no more files.
func lacksDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// descriptorLimit says how many file descriptors the process may have, if the system tells.
func descriptorLimit() string {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return ""
	}
	return fmt.Sprintf(" (it may have %d)", limit.Cur)
}

// isFull also compares the text: bbolt formats the error of a file that cannot grow with %s, which drops the errno.
func isFull(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, errno) || strings.Contains(err.Error(), errno.Error()) {
			return true
		}
	}
	return false
}

// NeedsRebuild reports whether err means that the data directory is unusable, so that the node must be rebuilt.
func NeedsRebuild(err error) bool {
	switch KindOf(err) {
	case KindDamaged, KindMissing, KindDiffers:
		return true
	}
	return false
}
