package store

import (
	"errors"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// closedMark is where log, snapshot and vote stood when the directory was closed in order. A file that was cut or put back from an
// older copy is well formed, and nothing in it tells: only that it ends before this does. After a crash there is no mark, since what a
// log lacks then was never acknowledged.
type closedMark struct {
	LastIndex uint64 `json:"last_index"` // of the log or of the snapshot, whichever is further: an installed one is beyond the log
	Term      uint64 `json:"term"`
	VoteTerm  uint64 `json:"vote_term"`
	Candidate string `json:"candidate"`
}

// position returns the mark of the present state.
func (s *Store) position() (m closedMark, err error) {
	if m.LastIndex, err = s.log.LastIndex(); err != nil {
		return m, err
	}
	snap, err := s.snaps.header()
	if err != nil {
		return m, err
	}
	if snap != nil {
		m.LastIndex = max(m.LastIndex, snap.Index)
	}
	if m.Term, err = s.stable.GetUint64(keyCurrentTerm); err != nil && !errors.Is(err, errNotFound) {
		return m, err
	}
	term, candidate, err := s.stable.vote()
	if err != nil && !errors.Is(err, errNotFound) {
		return m, err
	}
	m.VoteTerm, m.Candidate = term, string(candidate)
	return m, nil
}

// mark records the position, when raft is done.
func (s *Store) mark() error {
	m, err := s.position()
	if err != nil {
		return err
	}
	return s.updateIdentity(func(now *identity) error { now.Closed = m; return nil })
}

func (s *Store) clearMark() error {
	return s.updateIdentity(func(now *identity) error { now.Closed = closedMark{}; return nil })
}

// checkMark refuses a directory that has gone back behind its mark.
func (s *Store) checkMark() error {
	m := s.id.Closed
	if m == (closedMark{}) {
		return nil
	}
	now, err := s.position()
	if err != nil {
		return err
	}
	if now.LastIndex < m.LastIndex {
		return damaged(filepath.Join(s.dir, s.kind.file()), "log and snapshot end at index %d, but one of them ended at %d when the node was stopped: "+
			"the log was cut, or it or %s is an older copy", now.LastIndex, m.LastIndex, stateName)
	}
	now.LastIndex = m.LastIndex
	if now != m && now.Term > 0 { // settlePhase has more to say about a term that is gone
		return damaged(filepath.Join(s.dir, stableName), "it says term %d and vote %q in term %d, but said term %d and vote %q in term %d when the node was stopped: it is another copy",
			now.Term, now.Candidate, now.VoteTerm, m.Term, m.Candidate, m.VoteTerm)
	}
	return nil
}

// checkTerm refuses a stable.db that is older than log or snapshot, which shows after a crash, too: raft writes a term before anything
// of it. snap is the snapshot that is held, nil if there is none.
func (s *Store) checkTerm(snap *header) error {
	term, err := s.stable.GetUint64(keyCurrentTerm)
	if errors.Is(err, errNotFound) || err == nil && term == 0 { // settlePhase has more to say about that
		return nil
	}
	if err != nil {
		return err
	}
	var seen uint64
	if snap != nil {
		seen = snap.Term
	}
	last, err := s.log.LastIndex()
	if err != nil {
		return err
	}
	if last > 0 {
		var entry raft.Log
		if err := s.log.GetLog(last, &entry); err != nil {
			return err
		}
		seen = max(seen, entry.Term)
	}
	if seen > term {
		return damaged(filepath.Join(s.dir, stableName), "it says term %d, but log or snapshot have something of term %d: it is an older copy", term, seen)
	}
	return nil
}
