package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// refusedCopies is how many late copies in a row, without a log entry between them, end the node.
const refusedCopies = 3

// lateness tells a copy that comes late from one that its leader still means. raft (1.7.3) installs whatever arrives in its term: it
// takes the state machine back and, with raft-wal, deletes the whole log, acknowledged entries included. A request that timed out at
// the leader, and was answered on another connection meanwhile, can arrive so.
//
// Whatever a follower stores in a term comes from the leader of that term, so from then on its log is that of the leader, up to its
// end, and a copy of less gives it nothing. Before that the log may be of another history, and the copy is what it takes. Either way
// committed entries are not given back for fewer of them.
type lateness struct {
	log     raft.LogStore
	stored  atomic.Bool  // an entry was stored in the present term
	refused atomic.Int32 // copies since then
}

func (l *lateness) newTerm() { l.stored.Store(false) }

func (l *lateness) entryStored() {
	l.stored.Store(true)
	l.refused.Store(0)
}

// holds tells whether the log is the leader's and reaches the position of h.
func (l *lateness) holds(h *header) (bool, error) {
	if !l.stored.Load() {
		return false, nil
	}
	if last, err := l.log.LastIndex(); err != nil || last < h.Index {
		return false, err
	}
	var entry raft.Log
	err := l.log.GetLog(h.Index, &entry)
	if errors.Is(err, raft.ErrLogNotFound) { // compacted: the log goes on where a snapshot ends
		return true, nil
	}
	return err == nil && entry.Term == h.Term, err
}

// checkCopy refuses a copy that would take the node back. The leader keeps asking if it means the copy: it does when it has dropped
// entries whose acknowledgement was lost, so when TrailingLogs is shorter than one batch of entries. A start cuts the connections of
// all late requests and forgets what was stored in this term, so the node ends and begins anew when nothing else follows.
func (s *snapshots) checkCopy(h *header) error {
	held, err := s.header()
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, stateName)
	if held != nil && held.Index > h.Index {
		return s.refuseCopy(&Error{Kind: KindStale, Path: path,
			Message: fmt.Sprintf("a copy of the snapshot at index %d was refused: the one at %d is held", h.Index, held.Index)})
	}
	late, err := s.late.holds(h)
	if err != nil || !late {
		return err
	}
	err = s.refuseCopy(&Error{Kind: KindStale, Path: path,
		Message: fmt.Sprintf("a copy of the snapshot at index %d was refused: it comes late, the log of this term goes on from there", h.Index)})
	if s.late.refused.Add(1) == refusedCopies {
		s.dog.fail(&Error{Kind: KindStale, Path: path, Err: err,
			Message: fmt.Sprintf("%d copies were refused and no log entry followed any of them; start this node again", refusedCopies)})
	}
	return err
}

// refuseCopy logs the refusal, which raft answers to the leader: the node goes on.
func (s *snapshots) refuseCopy(err *Error) error {
	s.logger.Warn("a copy from the leader was not installed", "error", err)
	return err
}
