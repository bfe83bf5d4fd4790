package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// A node that was removed must not campaign after a restart. It says what happened, and its directory serves a new node once it is set aside.
func TestRemoved_IsRefusedAndSetAside(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			aside, err := store.SetAside(dir)
			require.NoError(t, err)
			require.Empty(t, aside, "nothing was removed")

			for i, name := range []string{"removed-1", "removed-2"} {
				s := mustOpen(t, dir, withLog(kind))
				old := s.NodeID()
				require.NoError(t, s.Log().StoreLogs(entries(1, 10, 1)))
				require.NoError(t, s.SaveGossipKeys([]byte(`{"keys":[]}`)))
				require.Equal(t, store.KindRemoved, store.KindOf(s.MarkRemoved(old+" was removed by somebody")))
				require.NoError(t, s.Close())
				refuse(t, store.Options{Dir: dir}, store.KindRemoved, old+" was removed by somebody")

				aside, err = store.SetAside(dir)
				require.NoError(t, err)
				require.Equal(t, filepath.Join(dir, name), aside, i)
				refuse(t, store.Options{Dir: aside}, store.KindRemoved, old)
				again := mustOpen(t, dir, withLog(kind))
				require.NotEqual(t, old, again.NodeID())
				last, err := again.Log().LastIndex()
				require.NoError(t, err)
				require.Zero(t, last)
				keys, err := again.GossipKeys()
				require.NoError(t, err)
				require.JSONEq(t, `{"keys":[]}`, string(keys), "it finds the others by them")
				require.NoError(t, again.Close())
			}
		})
	}
}

// A crash in the middle leaves a directory that still says that the node was removed, and that the next call completes.
func TestRemoved_AnInterruptedMoveIsCompleted(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	require.Error(t, s.MarkRemoved("removed"))
	require.NoError(t, s.Close())
	aside := filepath.Join(dir, "removed-1")
	require.NoError(t, os.Mkdir(aside, 0o700))
	for _, name := range []string{"meta.json", "stable.db"} {
		require.NoError(t, os.Rename(filepath.Join(dir, name), filepath.Join(aside, name)))
	}
	refuse(t, store.Options{Dir: dir}, store.KindRemoved, "removed")
	got, err := store.SetAside(dir)
	require.NoError(t, err)
	require.Equal(t, aside, got)
	require.FileExists(t, filepath.Join(aside, "state.db"))
	require.NoError(t, mustOpen(t, dir).Close())
}

// The others know who left, so a damaged file is no reason to rebuild a node.
func TestDepartures_DamageCostsAWarning(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	kept, err := s.Departures()
	require.NoError(t, err)
	require.Nil(t, kept)
	require.NoError(t, s.SaveDepartures([]byte(`{"departures":[]}`)))
	kept, err = s.Departures()
	require.NoError(t, err)
	require.JSONEq(t, `{"departures":[]}`, string(kept))
	path := filepath.Join(dir, "departures.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(path, text, 0o600))
	kept, err = s.Departures()
	require.NoError(t, err)
	require.Nil(t, kept)
}

// Without its keys a node finds nobody, so it says that the file is damaged instead of guessing.
func TestGossipKeys_DamageIsAnError(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	kept, err := s.GossipKeys()
	require.NoError(t, err)
	require.Nil(t, kept)
	require.NoError(t, s.SaveGossipKeys([]byte(`{"keys":["a"]}`)))
	path := filepath.Join(dir, "gossip-keys.json")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(path, text, 0o600))
	_, err = s.GossipKeys()
	require.ErrorContains(t, err, path)
	require.NoError(t, s.Close())
	require.NoError(t, mustOpen(t, dir).Close(), "the rest is fine")
}
