package store

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store/failpoint"
)

// reconcile makes the log fit the snapshot before raft sees either.
//
// A crash between installing a snapshot and truncating the log, or a snapshot
// installed under a log that diverges from it, leaves entries that raft cannot
// cope with: with boltdb it fetches the same snapshot for ever, with raft-wal it
// panics (hashicorp/raft #697, #704). Two cases drop the whole log:
//
//   - its entry at the snapshot's index has another term, so the log is of
//     another history than the snapshot, which is committed;
//   - raft-wal only: it ends before the snapshot, and the next entry would leave
//     a gap that raft-wal refuses.
//
// Nothing acknowledged is lost: what the snapshot covers is in the snapshot, and
// entries that follow a conflict with committed state were never committed.
func reconcile(log raft.LogStore, kind LogKind, snap *header, path string, logger *slog.Logger, clearMark func() error) error {
	first, err := log.FirstIndex()
	if err != nil {
		return err
	}
	last, err := log.LastIndex()
	if err != nil {
		return err
	}
	if first == 0 {
		return nil
	}
	var index, term uint64
	if snap != nil {
		index, term = snap.Index, snap.Term
	}
	if first > index+1 {
		return &Error{Kind: KindMissing, Path: path,
			Message: fmt.Sprintf("the log starts at index %d but the snapshot ends at %d: what is between was lost; %s", first, index, rebuildNode)}
	}
	if snap == nil {
		return nil
	}
	var reason string
	var entry raft.Log
	switch err := log.GetLog(index, &entry); {
	case err == nil && entry.Term != term:
		reason = fmt.Sprintf("the log has term %d where the snapshot has %d", entry.Term, term)
	case err != nil && !errors.Is(err, raft.ErrLogNotFound):
		return err
	case kind == LogWAL && last < index:
		reason = "the log ends before the snapshot"
	}
	if reason == "" {
		return nil
	}
	logger.Warn("dropping the log, the snapshot replaces it", "reason", reason, "first", first, "last", last, "snapshot_index", index)
	// The mark says how far the log went: after a crash in here that would be what was lost.
	if err := clearMark(); err != nil {
		return err
	}
	failpoint.Hit(failpoint.OpenBeforeDroppingLog)
	// boltdb deletes in steps. The entry that contradicts the snapshot goes last, so that a crash between two of them leaves a log
	// that is dropped at the next Open, and never one that begins behind the snapshot.
	if index < last {
		if err := log.DeleteRange(index+1, last); err != nil {
			return err
		}
	}
	return log.DeleteRange(first, min(index, last))
}
