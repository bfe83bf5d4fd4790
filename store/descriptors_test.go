package store_test

import (
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/creditd/creditd/store"
)

// lackDescriptors lets this process use no descriptor from most on, until the returned function is called.
func lackDescriptors(t *testing.T, most uint64) (restore func()) {
	t.Helper()
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	none := unix.Rlimit{Cur: most, Max: limit.Max}
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &none))
	restore = func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)) }
	t.Cleanup(restore)
	return restore
}

// A log that cannot open its next segment names the limit. It used to say that a segment is sealed, and at the next start that the log is
// damaged and the node must be rebuilt.
func TestDescriptors_TheLimitIsNamed(t *testing.T) {
	dir, reported := t.TempDir(), make(chan error, 1)
	s := mustOpen(t, dir, withLog(store.LogWAL), func(o *store.Options) { o.OnFatal = func(err error) { reported <- err } })
	require.NoError(t, s.Log().StoreLogs(entries(1, 10, 1)))
	restore := lackDescriptors(t, 0)
	big := make([]byte, 4<<20)
	var err error
	last := uint64(10)
	for ; err == nil && last < 60; last++ {
		err = s.Log().StoreLog(&raft.Log{Index: last + 1, Term: 1, Data: big})
	}
	const names = "the process has used up its file descriptors (it may have 0)"
	require.ErrorContains(t, err, names)
	require.ErrorContains(t, err, "--max-connections")
	require.Equal(t, store.KindFailed, store.KindOf(err))
	require.Equal(t, err.Error(), (<-reported).Error())
	restore()
	require.NoError(t, s.Close())

	// Whatever file is the one too many at the next start, the data is not to blame.
	for most := uint64(0); ; most++ {
		restore := lackDescriptors(t, most)
		s, err = store.Open(store.Options{Dir: dir})
		restore()
		if err == nil {
			break
		}
		require.ErrorContains(t, err, "the process has used up its file descriptors", "%d descriptors", most)
		require.False(t, store.NeedsRebuild(err))
	}
	var e raft.Log
	require.NoError(t, s.Log().GetLog(last-1, &e), "what was acknowledged is there")
	require.NoError(t, s.Close())
}
