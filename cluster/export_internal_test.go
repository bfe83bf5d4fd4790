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
	e := &exports{
		raft: busy, patience: &patience{}, stopping: stop, busy: make(chan struct{}, 1),
		applied: func(context.Context, uint64) error { return nil },
	}
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		err := e.snapshotOf(ctx, 0)
		cancel()
		require.Equal(t, fault.TimedOut, fault.KindOf(err), "%v", err)
	}
	close(busy.free)
	require.NoError(t, e.snapshotOf(t.Context(), 0))
}

// A node that stops keeps nobody waiting for a snapshot.
func TestExports_StopWithTheNode(t *testing.T) {
	stop := make(chan struct{})
	e := &exports{raft: busyRaft{make(chan struct{})}, patience: &patience{}, stopping: stop, busy: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, e.write(ctx))
	close(stop)
	e.busy <- struct{}{} // the next one is not kept out
}
