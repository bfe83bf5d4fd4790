package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// slowLog holds writes until it is let go.
type slowLog struct {
	raft.LogStore
	entered, release chan struct{}
}

func (l *slowLog) StoreLogs(list []*raft.Log) error {
	if l.entered != nil {
		l.entered <- struct{}{}
		<-l.release
	}
	return l.LogStore.StoreLogs(list)
}

func openSlow(t *testing.T, unready, fatal time.Duration) (*store.Store, *slowLog, chan error) {
	t.Helper()
	reported := make(chan error, 10)
	slow := &slowLog{}
	s, err := store.OpenWithHooks(store.Options{Dir: t.TempDir(), StallUnready: unready, StallFatal: fatal, OnFatal: func(err error) { reported <- err }},
		store.TestHooks{Log: func(inner raft.LogStore) raft.LogStore { slow.LogStore = inner; return slow }})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s, slow, reported
}

// A call that takes too long makes the node unready, and ready again when it returns.
func TestWatchdog_StallIsUnready(t *testing.T) {
	s, slow, reported := openSlow(t, 20*time.Millisecond, time.Hour)
	slow.entered, slow.release = make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() { done <- s.Log().StoreLog(&raft.Log{Index: 1, Term: 1}) }()
	<-slow.entered
	await(t, "unready", func() bool { return s.Healthy() != nil })
	require.ErrorIs(t, s.Healthy(), &store.Error{Kind: store.KindStalled})
	require.ErrorContains(t, s.Healthy(), "log write")
	close(slow.release)
	require.NoError(t, <-done)
	require.NoError(t, s.Healthy())
	require.Empty(t, reported)
}

// Past the second limit the node has to leave, even if the call returns later.
func TestWatchdog_LongStallIsFatalOnce(t *testing.T) {
	s, slow, reported := openSlow(t, 10*time.Millisecond, 30*time.Millisecond)
	slow.entered, slow.release = make(chan struct{}), make(chan struct{})
	done := make(chan error)
	go func() { done <- s.Log().StoreLog(&raft.Log{Index: 1, Term: 1}) }()
	<-slow.entered
	require.ErrorIs(t, <-reported, &store.Error{Kind: store.KindStalled})
	close(slow.release)
	<-done
	require.Error(t, s.Healthy())
	require.Error(t, s.Log().StoreLog(&raft.Log{Index: 2, Term: 1}))
	require.Empty(t, reported)
}

type failingLog struct {
	raft.LogStore
	err   error
	panic any
}

func (l *failingLog) GetLog(index uint64, entry *raft.Log) error {
	if l.panic != nil {
		panic(l.panic)
	}
	if l.err != nil {
		return l.err
	}
	return l.LogStore.GetLog(index, entry)
}

// A missing entry is an answer; anything else a read returns is not, nor is a
// panic out of bbolt. The handler may close the store.
func TestWatchdog_UnexpectedReadErrorIsFatal(t *testing.T) {
	for name, broken := range map[string]*failingLog{"error": {err: errors.New("i/o error")}, "panic": {panic: "page 7: unexpected type"}} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			var s *store.Store
			ready := make(chan struct{})
			failing := &failingLog{}
			s, err := store.OpenWithHooks(store.Options{Dir: t.TempDir(), OnFatal: func(error) { <-ready; closed <- s.Close() }},
				store.TestHooks{Log: func(inner raft.LogStore) raft.LogStore { failing.LogStore = inner; return failing }})
			require.NoError(t, err)
			close(ready)
			require.ErrorIs(t, s.Log().GetLog(1, &raft.Log{}), raft.ErrLogNotFound)
			require.NoError(t, s.Healthy())
			failing.err, failing.panic = broken.err, broken.panic
			require.Error(t, s.Log().GetLog(1, &raft.Log{}))
			require.Error(t, s.Healthy())
			require.NoError(t, <-closed)
		})
	}
}

// A snapshot may rest for much longer than it works. The disk is not to blame for that.
func TestWatchdog_RestsAreNoStall(t *testing.T) {
	for name, spill := range map[string]int{"in one transaction": 0, "beside the present snapshot": 1 << 10} {
		t.Run(name, func(t *testing.T) {
			s, err := store.OpenWithHooks(store.Options{Dir: t.TempDir()}, store.TestHooks{Spill: spill})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			snapshot(t, s, 10, numbered(0, 100, "v"))
			k := create(t, s, 20, 2)
			for key, value := range numbered(0, 100, "w") {
				require.NoError(t, k.Put([]byte(key), []byte(value)))
			}
			var found []error
			k.Pace(func() {
				before := s.Healthy()
				s.PassTime(time.Hour)
				found = append(found, errors.Join(before, s.Healthy()))
			})
			require.NoError(t, k.Close())
			require.NotEmpty(t, found)
			require.NoError(t, errors.Join(found...))
			require.NoError(t, s.Healthy())
		})
	}
}

// A snapshot from the leader waits while this node writes its own, which rests.
func TestWatchdog_WaitingForAnotherSnapshotIsNoStall(t *testing.T) {
	from, s := mustOpen(t, t.TempDir()), mustOpen(t, t.TempDir())
	snapshot(t, from, 20, numbered(0, 100, "v"))
	waits, release := s.HoldWrites()
	goOn := sync.OnceFunc(release)
	t.Cleanup(goOn)
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		send(t, from, s)
	}()
	await(t, "the received snapshot waits", waits)
	s.PassTime(time.Hour)
	require.NoError(t, s.Healthy())
	goOn()
	<-sent
	require.NoError(t, s.Healthy())
	require.Equal(t, numbered(0, 100, "v"), contents(t, s))
}
