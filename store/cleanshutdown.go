package store

import (
	"errors"
	"path/filepath"

	"github.com/hashicorp/raft"
)

// shutdownMarker records where log, snapshot and vote ended at a clean shutdown. A file that was truncated, or replaced by an older copy,
// passes all checksums; only this marker shows it. After a crash there is no marker: missing entries were never acknowledged then.
type shutdownMarker struct {
	LastIndex uint64 `json:"last_index"` // the higher of log and snapshot: an installed snapshot may be ahead of the log
	Term      uint64 `json:"term"`
	VoteTerm  uint64 `json:"vote_term"`
	Candidate string `json:"candidate"`
}

// position returns the marker for the present state.
func (s *Store) position() (m shutdownMarker, err error) {
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

// writeMarker records the position after raft has stopped.
func (s *Store) writeMarker() error {
	m, err := s.position()
	if err != nil {
		return err
	}
	return s.updateIdentity(func(now *identity) error { now.Closed = m; return nil })
}

func (s *Store) clearMarker() error {
	return s.updateIdentity(func(now *identity) error { now.Closed = shutdownMarker{}; return nil })
}

// checkMarker refuses a directory whose state is behind its marker.
func (s *Store) checkMarker() error {
	m := s.id.Closed
	if m == (shutdownMarker{}) {
		return nil
	}
	now, err := s.position()
	if err != nil {
		return err
	}
	if now.LastIndex < m.LastIndex {
		return damaged(filepath.Join(s.dir, s.kind.file()), "log and snapshot end at index %d, but one of them ended at %d when the node was stopped: "+
			"the log was truncated, or the log or %s was replaced by an older copy", now.LastIndex, m.LastIndex, stateName)
	}
	now.LastIndex = m.LastIndex
	if now != m && now.Term > 0 { // checkPhase reports a missing term better
		return damaged(filepath.Join(s.dir, stableName), "it has term %d and vote %q in term %d, but had term %d and vote %q in term %d when the node was stopped: it was replaced by another copy",
			now.Term, now.Candidate, now.VoteTerm, m.Term, m.Candidate, m.VoteTerm)
	}
	return nil
}

// checkTerm refuses a stable.db that is older than log or snapshot. It also works after a crash, because raft writes a term before any
// entry of that term. snap is the present snapshot; nil: none.
func (s *Store) checkTerm(snap *header) error {
	term, err := s.stable.GetUint64(keyCurrentTerm)
	if errors.Is(err, errNotFound) || err == nil && term == 0 { // checkPhase reports this
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
		return damaged(filepath.Join(s.dir, stableName), "it has term %d, but log or snapshot have entries of term %d: it was replaced by an older copy", term, seen)
	}
	return nil
}
