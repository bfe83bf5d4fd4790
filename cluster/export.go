package cluster

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
)

// exportPause is the least time between two snapshots that exports ask for. A client may ask for one export after the other, and a snapshot
// costs writes to the disk that the log waits for.
const exportPause = time.Second

// Records returns the ledger at an index that is at least minIndex. The caller must close it soon: see store.View.
func (n *Node) Records(ctx context.Context, minIndex uint64) (*replica.Records, error) {
	if err := n.snapshotOf(ctx, minIndex); err != nil {
		return nil, err
	}
	r, err := replica.OpenRecords(n.conf.Store)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "This node could not open the snapshot that an export reads", err)
	}
	return r, nil
}

// Snapshot is the whole ledger at one index, to be written to a file.
type Snapshot struct {
	*backup.Source
	turn backup.Turn
}

// Write writes the file: see backup.Source.
func (s *Snapshot) Write(ctx context.Context, w io.Writer) error {
	return s.Source.Write(ctx, w, s.turn)
}

// Snapshot opens the whole ledger at an index that is at least minIndex. The work counts as the actor's. The caller must close it soon.
func (n *Node) Snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (*Snapshot, error) {
	if err := n.snapshotOf(ctx, minIndex); err != nil {
		return nil, err
	}
	source, err := backup.Open(n.conf.Store, n.conf.Version, n.conf.Now())
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "This node could not open the snapshot that it is to send", err)
	}
	return &Snapshot{source, func(ctx context.Context) (func(), error) { return n.patientTurn(ctx, actor) }}, nil
}

// patientTurn waits for a turn for as long as ctx allows: the work has begun, and may take long.
func (n *Node) patientTurn(ctx context.Context, actor fsm.Hash) (end func(), err error) {
	for {
		end, err := n.TakeTurn(ctx, actor)
		if err == nil || fault.KindOf(err) != fault.Overloaded {
			return end, err
		}
		select {
		case <-time.After(exportPause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// snapshotOf writes a snapshot of an index that is at least minIndex.
func (n *Node) snapshotOf(ctx context.Context, minIndex uint64) error {
	if err := n.replica.Applied(ctx, minIndex); err != nil {
		return fault.Wrap(fault.TimedOut, "This node has not applied the index that the export waits for", err)
	}
	return n.snapshot(ctx)
}

// snapshot writes a snapshot, one at a time and with a pause between them.
func (n *Node) snapshot(ctx context.Context) error {
	late := func() error {
		return fault.Wrap(fault.TimedOut, "The snapshot that an export reads was not written in time", ctx.Err())
	}
	select {
	case n.exporting <- struct{}{}:
	case <-ctx.Done():
		return late()
	}
	future := n.raft.Snapshot()
	taken := make(chan error, 1)
	go func() {
		taken <- future.Error()
		select {
		case <-time.After(exportPause):
		case <-n.ctx.Done():
		}
		<-n.exporting
	}()
	select {
	case err := <-taken:
		if err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
			return fault.Wrap(fault.Unavailable, "This node could not write the snapshot that an export reads", err)
		}
		return nil
	case <-ctx.Done():
		return late()
	}
}
