package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"path/filepath"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/store/failpoint"
)

// errNotFound is the error for a key that was never set. raft compares its text.
var errNotFound = errors.New("not found")

var (
	keyCurrentTerm  = []byte("CurrentTerm")
	keyLastVoteTerm = []byte("LastVoteTerm")
	keyLastVoteCand = []byte("LastVoteCand")

	keyVote = []byte("creditd/vote") // term and candidate in one record
	keyNode = []byte("creditd/node") // id of the node that the file belongs to
)

// stableStore stores raft's term and vote. Each value has a CRC32C. raft writes a vote in two calls, first the term, then the candidate.
// With two transactions, a crash between them could grant a vote without a check of the log (hashicorp/raft #661). So the term stays in
// memory until the candidate arrives, and both are written as one record.
type stableStore struct {
	db       raft.StableStore
	watchdog *watchdog
	path     string
	onActive func() error // called after a term above 0 was written
	onTerm   func()       // called before a term is written

	mu      sync.Mutex
	pending *uint64 // the term of a vote whose candidate has not arrived
}

var _ raft.StableStore = (*stableStore)(nil)

// Set implements raft.StableStore.
func (s *stableStore) Set(key, value []byte) error {
	if bytes.Equal(key, keyLastVoteCand) {
		return s.setCandidate(value)
	}
	return s.put(key, value)
}

// Get implements raft.StableStore.
func (s *stableStore) Get(key []byte) ([]byte, error) {
	if bytes.Equal(key, keyLastVoteCand) {
		_, candidate, err := s.vote()
		return candidate, err
	}
	return s.get(key)
}

// SetUint64 implements raft.StableStore.
func (s *stableStore) SetUint64(key []byte, value uint64) error {
	if bytes.Equal(key, keyLastVoteTerm) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pending = &value
		failpoint.Hit(failpoint.VoteHalf)
		return s.watchdog.admit()
	}
	if bytes.Equal(key, keyCurrentTerm) {
		s.onTerm()
	}
	failpoint.Hit(failpoint.TermBeforeWrite)
	if err := s.put(key, binary.BigEndian.AppendUint64(nil, value)); err != nil {
		return err
	}
	failpoint.Hit(failpoint.TermAfterWrite)
	if value > 0 && s.onActive != nil && bytes.Equal(key, keyCurrentTerm) {
		return s.onActive()
	}
	return nil
}

// GetUint64 implements raft.StableStore.
func (s *stableStore) GetUint64(key []byte) (uint64, error) {
	if bytes.Equal(key, keyLastVoteTerm) {
		term, _, err := s.vote()
		return term, err
	}
	value, err := s.get(key)
	if err != nil {
		return 0, err
	}
	if len(value) != 8 {
		err := damaged(s.path, "the value of %q has %d bytes instead of 8", key, len(value))
		s.watchdog.fail(err)
		return 0, err
	}
	return binary.BigEndian.Uint64(value), nil
}

// setCandidate writes the vote: with the pending term, or with the recorded one if only the candidate changes.
func (s *stableStore) setCandidate(candidate []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var term uint64
	if s.pending != nil {
		term = *s.pending
	} else {
		recorded, _, err := s.vote()
		if err != nil && !errors.Is(err, errNotFound) {
			return err
		}
		term = recorded
	}
	failpoint.Hit(failpoint.VoteBeforeWrite)
	if err := s.put(keyVote, append(binary.BigEndian.AppendUint64(nil, term), candidate...)); err != nil {
		return err
	}
	failpoint.Hit(failpoint.VoteAfterWrite)
	s.pending = nil
	return nil
}

func (s *stableStore) vote() (term uint64, candidate []byte, err error) {
	value, err := s.get(keyVote)
	if err != nil {
		return 0, nil, err
	}
	if len(value) < 8 {
		err := damaged(s.path, "the vote is too short")
		s.watchdog.fail(err)
		return 0, nil, err
	}
	return binary.BigEndian.Uint64(value), value[8:], nil
}

func (s *stableStore) put(key, value []byte) (err error) {
	if err := s.watchdog.admit(); err != nil {
		return err
	}
	defer s.watchdog.finish(s.watchdog.begin(callStableWrite, 0), s.path, "writing the stable store", &err)
	return s.db.Set(key, appendSealed(nil, key, value))
}

func (s *stableStore) get(key []byte) (value []byte, err error) {
	defer s.watchdog.finish(s.watchdog.begin(callStableRead, 0), s.path, "reading the stable store", &err)
	stored, err := s.db.Get(key)
	if err != nil {
		if err.Error() == errNotFound.Error() {
			return nil, errNotFound
		}
		return nil, err
	}
	value, ok := unseal(key, stored)
	if !ok {
		return nil, damaged(s.path, "the value of %q fails its checksum", key)
	}
	return value, nil
}

// bindNode writes the node's id into a new file. It refuses a file of another node, and one without an id: somebody replaced a lost file.
func bindNode(db raft.StableStore, path, nodeID string, create bool) error {
	stored, err := db.Get(keyNode)
	if err != nil && err.Error() != errNotFound.Error() {
		return ioError(path, "reading the node id", err)
	}
	if len(stored) == 0 && create {
		return ioError(path, "writing the node id", db.Set(keyNode, appendSealed(nil, keyNode, []byte(nodeID))))
	}
	owner, ok := unseal(keyNode, stored)
	if len(stored) == 0 {
		return &Error{Kind: KindMissing, Path: path, Message: "the file is empty although the node has an id; " + rebuildNode}
	}
	if !ok {
		return damaged(path, "the node id in it fails its checksum")
	}
	if string(owner) != nodeID {
		return &Error{Kind: KindForeign, Path: path,
			Message: "the file belongs to " + string(owner) + ", the directory to " + nodeID + "; restore the files of " + filepath.Dir(path) + " together"}
	}
	return nil
}
