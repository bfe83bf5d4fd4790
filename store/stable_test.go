package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

var (
	currentTerm = []byte("CurrentTerm")
	voteTerm    = []byte("LastVoteTerm")
	voteCand    = []byte("LastVoteCand")
)

func vote(t *testing.T, s *store.Store) (uint64, string) {
	t.Helper()
	term, err := s.Stable().GetUint64(voteTerm)
	require.NoError(t, err)
	candidate, err := s.Stable().Get(voteCand)
	require.NoError(t, err)
	return term, string(candidate)
}

// raft compares the text.
func TestStable_MissingKey(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	for _, key := range [][]byte{currentTerm, voteTerm, voteCand, []byte("other")} {
		_, err := s.Stable().Get(key)
		require.EqualError(t, err, "not found")
		_, err = s.Stable().GetUint64(key)
		require.EqualError(t, err, "not found")
	}
	require.NoError(t, s.Healthy())
}

// Term and candidate of a vote become durable together: after a crash between
// raft's two calls the old vote stands as a whole.
func TestStable_VoteIsAtomic(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	require.NoError(t, s.Stable().SetUint64(currentTerm, 7))
	require.NoError(t, s.Stable().SetUint64(voteTerm, 7))
	require.NoError(t, s.Stable().Set(voteCand, []byte("node_a")))
	require.NoError(t, s.Stable().SetUint64(voteTerm, 8))
	require.NoError(t, s.Close()) // the candidate never arrives

	s = mustOpen(t, dir)
	term, candidate := vote(t, s)
	require.Equal(t, uint64(7), term)
	require.Equal(t, "node_a", candidate)

	require.NoError(t, s.Stable().SetUint64(voteTerm, 9))
	require.NoError(t, s.Stable().Set(voteCand, []byte("node_b")))
	require.NoError(t, s.Stable().Set([]byte("other"), []byte("value")))
	require.NoError(t, s.Close())
	s = mustOpen(t, dir)
	term, candidate = vote(t, s)
	require.Equal(t, uint64(9), term)
	require.Equal(t, "node_b", candidate)
	value, err := s.Stable().Get([]byte("other"))
	require.NoError(t, err)
	require.Equal(t, "value", string(value))
}

// A vote that cannot be trusted is not read as another vote.
func TestStable_RefusesADamagedVote(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	require.NoError(t, s.Stable().SetUint64(currentTerm, 7))
	require.NoError(t, s.Stable().SetUint64(voteTerm, 7))
	require.NoError(t, s.Stable().Set(voteCand, []byte("node_candidate")))
	require.NoError(t, s.Close())
	path := filepath.Join(dir, "stable.db")
	replaceAll(t, path, "node_candidate", "node_candidbte")
	refuse(t, store.Options{Dir: dir}, store.KindDamaged, path, "vote")
}

// A write that fails ends all writing: a second fsync may lie about the first.
func TestStable_FailedWriteIsFatalOnce(t *testing.T) {
	reported := make(chan error, 10)
	broken := &brokenStable{}
	s, err := store.OpenWithHooks(store.Options{Dir: t.TempDir(), OnFatal: func(err error) { reported <- err }}, store.TestHooks{
		Stable: func(inner raft.StableStore) raft.StableStore { broken.StableStore = inner; return broken },
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	broken.fail = true
	require.ErrorIs(t, s.Stable().SetUint64(currentTerm, 1), os.ErrInvalid)
	require.ErrorIs(t, <-reported, os.ErrInvalid)
	broken.fail = false
	require.ErrorIs(t, s.Stable().SetUint64(currentTerm, 2), os.ErrInvalid, "nothing is written any more")
	require.ErrorIs(t, s.Log().StoreLog(&raft.Log{Index: 1, Term: 1}), os.ErrInvalid)
	_, err = s.Snapshots().Create(1, 1, 1, testConfiguration, 1, nil)
	require.ErrorIs(t, err, os.ErrInvalid)
	require.ErrorIs(t, s.Healthy(), os.ErrInvalid)
	require.Empty(t, reported)
}

type brokenStable struct {
	raft.StableStore
	fail bool
}

func (b *brokenStable) Set(key, value []byte) error {
	if b.fail {
		return os.ErrInvalid
	}
	return b.StableStore.Set(key, value)
}
