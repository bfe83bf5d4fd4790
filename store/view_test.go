package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

func viewed(t *testing.T, v *store.View) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, v.Records(nil, func(key, value []byte) error {
		found[string(key)] = string(value)
		return nil
	}))
	return found
}

// An export reads its version to the end while newer snapshots are written, and while the leader's replaces the file.
func TestView_KeepsItsVersion(t *testing.T) {
	s, leader := mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	first := numbered(0, 4000, "v1")
	snapshot(t, s, 10, first)
	v, err := s.View()
	require.NoError(t, err)
	read := 0
	require.NoError(t, v.Records([]byte("key-"), func(key, _ []byte) error {
		if read++; read == 100 { // in the middle
			snapshot(t, s, 20, numbered(0, 6000, "later and longer, so that the file must grow"))
			snapshot(t, leader, 50, map[string]string{"other": "state"})
			send(t, leader, s)
		}
		found := false
		require.NoError(t, v.Find(key, func(value []byte) error {
			found = true
			require.Equal(t, first[string(key)], string(value))
			return nil
		}))
		require.True(t, found)
		return v.Find([]byte("key"), func([]byte) error { return errors.New("no such key") })
	}))
	require.Equal(t, len(first), read)
	require.Equal(t, first, viewed(t, v))
	require.EqualValues(t, 10, v.Index())
	require.NoError(t, v.Close())
	require.NoError(t, v.Close(), "closing twice")
	require.Equal(t, map[string]string{"other": "state"}, contents(t, s))
}

// A node that closes does not wait for an export: the next record ends it.
func TestView_EndsWithTheStore(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	snapshot(t, s, 10, numbered(0, 4000, "v1"))
	v, err := s.View()
	require.NoError(t, err)
	closed := make(chan error, 1)
	read := 0
	err = v.Records(nil, func([]byte, []byte) error {
		if read++; read == 1 {
			go func() { closed <- s.Close() }()
			require.Eventually(t, func() bool {
				later, err := s.View()
				return err != nil || later.Close() != nil
			}, 10*time.Second, time.Millisecond)
		}
		return nil
	})
	require.Equal(t, store.KindClosed, store.KindOf(err))
	require.Equal(t, 1, read)
	require.NoError(t, v.Close())
	require.NoError(t, <-closed)
}
