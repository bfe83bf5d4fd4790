package cluster

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/replica"
)

// exportPause is the least time between two snapshots that exports ask for. A client may ask for one export after the other, and a snapshot
// costs writes to the disk that the log waits for.
const exportPause = time.Second

// Records returns the ledger at an index that is at least minIndex. The caller must close it soon: see store.View.
func (n *Node) Records(ctx context.Context, minIndex uint64) (*replica.Records, error) {
	if err := n.replica.Applied(ctx, minIndex); err != nil {
		return nil, fault.Wrap(fault.TimedOut, "This node has not applied the index that the export waits for", err)
	}
	if err := n.snapshot(ctx); err != nil {
		return nil, err
	}
	r, err := replica.OpenRecords(n.conf.Store)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "This node could not open the snapshot that an export reads", err)
	}
	return r, nil
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
