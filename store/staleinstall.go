package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// maxStaleInstalls is how many stale snapshots in a row, without a log entry between them, stop the node.
const maxStaleInstalls = 3

// staleInstalls recognises a snapshot that arrives too late. raft installs any snapshot of its term, and a delayed request would take
// acknowledged entries back. After a follower has stored an entry in a term, its log is that of the term's leader. So a snapshot that ends
// within this log is stale. See DESIGN.md.
type staleInstalls struct {
	log     raft.LogStore
	stored  atomic.Bool  // an entry was stored in the present term
	refused atomic.Int32 // stale snapshots since the last entry
}

func (i *staleInstalls) newTerm() { i.stored.Store(false) }

func (i *staleInstalls) entryStored() {
	i.stored.Store(true)
	i.refused.Store(0)
}

// covers reports whether the log is the leader's and reaches the end of the snapshot h.
func (i *staleInstalls) covers(h *header) (bool, error) {
	if !i.stored.Load() {
		return false, nil
	}
	if last, err := i.log.LastIndex(); err != nil || last < h.Index {
		return false, err
	}
	var entry raft.Log
	err := i.log.GetLog(h.Index, &entry)
	if errors.Is(err, raft.ErrLogNotFound) { // compacted: the log begins where a snapshot ends
		return true, nil
	}
	return err == nil && entry.Term == h.Term, err
}

// checkInstall refuses a snapshot that would take the node back. A leader that means the snapshot sends it again. Then the node stops,
// because a restart drops all delayed requests, and the record of what was stored in this term.
func (s *snapshots) checkInstall(h *header) error {
	held, err := s.header()
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, stateName)
	if held != nil && held.Index > h.Index {
		return s.refuseInstall(&Error{Kind: KindStale, Path: path,
			Message: fmt.Sprintf("a received snapshot at index %d was refused: this node already has the one at %d", h.Index, held.Index)})
	}
	stale, err := s.stale.covers(h)
	if err != nil || !stale {
		return err
	}
	err = s.refuseInstall(&Error{Kind: KindStale, Path: path,
		Message: fmt.Sprintf("a received snapshot at index %d was refused: it is stale, the log of this term already continues behind it", h.Index)})
	if s.stale.refused.Add(1) == maxStaleInstalls {
		s.watchdog.fail(&Error{Kind: KindStale, Path: path, Err: err,
			Message: fmt.Sprintf("%d received snapshots were refused and no log entry followed any of them; start this node again", maxStaleInstalls)})
	}
	return err
}

// refuseInstall logs the refusal. raft reports it to the leader, and the node continues.
func (s *snapshots) refuseInstall(err *Error) error {
	s.logger.Warn("a snapshot from the leader was not installed", "error", err)
	return err
}
