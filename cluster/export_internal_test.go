package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
)

// busyRaft is a raft that is writing a snapshot until it is free.
type busyRaft struct{ free chan struct{} }

func (r busyRaft) Snapshot() raft.SnapshotFuture {
	<-r.free
	return written{}
}

type written struct{ raft.SnapshotFuture }

func (written) Error() error { return raft.ErrNothingNewToSnapshot }

// While raft writes another snapshot, who waits for an export hears so in time. A snapshot of a large ledger takes minutes on a busy machine.
func TestExports_AnswerWhileRaftWritesAnotherSnapshot(t *testing.T) {
	busy, stop := busyRaft{make(chan struct{})}, make(chan struct{})
	defer close(stop)
	e := newExports(busy, stop)
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		err := e.snapshotOf(ctx, 0)
		cancel()
		require.Equal(t, fault.TimedOut, fault.KindOf(err), "%v", err)
	}
	close(busy.free)
	require.NoError(t, e.snapshotOf(t.Context(), 0))
}

// While the ledger changes faster than a snapshot is written, who asks again gets one that has what the first request needed.
func TestExports_TakeWhatWasWrittenMeanwhile(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	e := newExports(busyRaft{make(chan struct{})}, stop) // it never writes another one
	e.written = func() uint64 { return 7 }
	for range 2 {
		require.NoError(t, e.snapshotOf(t.Context(), 7))
	}
	for _, newer := range []uint64{8, 0} { // 0: the newest
		e := newExports(busyRaft{make(chan struct{})}, stop)
		e.written = func() uint64 { return 7 }
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		require.Equal(t, fault.TimedOut, fault.KindOf(e.snapshotOf(ctx, newer)))
		cancel()
	}
}

// A node that stops keeps nobody waiting for a snapshot.
func TestExports_StopWithTheNode(t *testing.T) {
	stop := make(chan struct{})
	e := newExports(busyRaft{make(chan struct{})}, stop)
	waited := make(chan error, 2)
	for range 2 { // one waits for raft, and one for its turn
		go func() { waited <- e.snapshotOf(t.Context(), 0) }()
	}
	require.Eventually(t, func() bool { return len(e.busy) == 1 }, 10*time.Second, time.Millisecond)
	close(stop)
	for range 2 {
		require.Equal(t, fault.Unavailable, fault.KindOf(<-waited))
	}
}

func newExports(raft busyRaft, stop chan struct{}) *exports {
	return &exports{
		raft: raft, written: func() uint64 { return 0 }, patience: &patience{}, stopping: stop, busy: make(chan struct{}, 1),
		applied: func(context.Context, uint64) error { return nil },
	}
}
