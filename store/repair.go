package store

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store/failpoint"
)

// reconcile drops a log that contradicts the snapshot, before raft reads either. A crash while a snapshot is installed can leave such a log:
// raft would fetch snapshots forever or, with raft-wal, panic (hashicorp/raft #697, #704). See DESIGN.md for the two cases.
func reconcile(log raft.LogStore, kind LogKind, snap *header, path string, logger *slog.Logger, clearMarker func() error) error {
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
			Message: fmt.Sprintf("the log starts at index %d but the snapshot ends at %d: the entries between them were lost; %s", first, index, rebuildNode)}
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
	logger.Warn("dropping the log: the snapshot replaces it", "reason", reason, "first", first, "last", last, "snapshot_index", index)
	// The shutdown marker has the end of the log. After a crash below it would report the dropped entries as lost.
	if err := clearMarker(); err != nil {
		return err
	}
	failpoint.Hit(failpoint.OpenBeforeDroppingLog)
	// boltdb deletes in steps. The entry that contradicts the snapshot goes last. So after a crash the next Open drops the rest, and never
	// finds a log that begins behind the snapshot.
	if index < last {
		if err := log.DeleteRange(index+1, last); err != nil {
			return err
		}
	}
	return log.DeleteRange(first, min(index, last))
}
