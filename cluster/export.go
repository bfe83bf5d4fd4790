package cluster

import (
	"context"
	"io"
	"time"

	"github.com/creditd/creditd/cluster/backup"
	"github.com/creditd/creditd/cluster/compaction"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// exportPause is the least time between two snapshots that exports ask for. A client may ask for one export after the other, and a snapshot
// costs writes to the disk that the log waits for.
const exportPause = time.Second

// exports opens snapshots for exports and backups.
type exports struct {
	store    *store.Store
	raft     compaction.Snapshotter
	written  func() (index uint64)                         // of the present snapshot; 0: there is none
	applied  func(ctx context.Context, index uint64) error // waits for the replica
	turn     func(ctx context.Context, actor fsm.Hash) (end func(), err error)
	pace     func() *turns.Pace
	patience *patience
	build    string
	now      func() time.Time
	stopping <-chan struct{}

	busy chan struct{} // has an element while no further snapshot may be written
}

// Records is the ledger at one index, record by record.
type Records struct {
	*replica.Records
	pace *turns.Pace
}

// Rest is called after some work of the reader, with the time that it took without its waiting. It rests as long as that deserves.
func (r *Records) Rest(ctx context.Context, worked time.Duration) error {
	return r.pace.Rest(ctx, worked)
}

// records returns the ledger at an index that is at least minIndex.
func (e *exports) records(ctx context.Context, minIndex uint64) (*Records, error) {
	if err := e.snapshotOf(ctx, minIndex); err != nil {
		return nil, err
	}
	r, err := replica.OpenRecords(e.store)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "This node could not open the snapshot that an export reads", err)
	}
	return &Records{r, e.pace()}, nil
}

// Snapshot is the whole ledger at one index, to be written to a file.
type Snapshot struct {
	*backup.Source
	pace backup.Pace
}

// Write writes the file: see backup.Source.
func (s *Snapshot) Write(ctx context.Context, w io.Writer) error {
	return s.Source.Write(ctx, w, s.pace)
}

// snapshot opens the whole ledger at an index that is at least minIndex. The work counts as the actor's.
func (e *exports) snapshot(ctx context.Context, actor fsm.Hash, minIndex uint64) (*Snapshot, error) {
	if err := e.snapshotOf(ctx, minIndex); err != nil {
		return nil, err
	}
	source, err := backup.Open(e.store, e.build, e.now())
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "This node could not open the snapshot that it is to send", err)
	}
	return &Snapshot{source, e.paceOf(actor)}, nil
}

// paceOf is the pace of a backup, whose work counts as the actor's.
func (e *exports) paceOf(actor fsm.Hash) backup.Pace {
	return turned{e.pace(), func(ctx context.Context) (func(), error) { return e.patientTurn(ctx, actor) }}
}

// turned is a pace with a turn for each piece of work.
type turned struct {
	*turns.Pace
	take func(ctx context.Context) (end func(), err error)
}

// Turn implements backup.Pace.
func (t turned) Turn(ctx context.Context) (end func(), err error) { return t.take(ctx) }

// patientTurn waits for a turn for as long as ctx allows: the work has begun, and may take long.
func (e *exports) patientTurn(ctx context.Context, actor fsm.Hash) (end func(), err error) {
	for {
		end, err := e.turn(ctx, actor)
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

// snapshotOf writes a snapshot of an index that is at least minIndex, unless there is one; 0: of the newest index.
func (e *exports) snapshotOf(ctx context.Context, minIndex uint64) error {
	if err := e.applied(ctx, minIndex); err != nil {
		return fault.Wrap(fault.TimedOut, "This node has not applied the index that the export waits for", err)
	}
	return e.write(ctx, minIndex)
}

// write writes a snapshot, one at a time and with a pause between them, unless one of minIndex was written meanwhile. When ctx ends it gives up, and
// the snapshot goes on.
func (e *exports) write(ctx context.Context, minIndex uint64) error {
	late := func() error {
		return fault.Wrap(fault.TimedOut, "The snapshot that an export reads was not written in time", ctx.Err())
	}
	stopping := fault.New(fault.Unavailable, "This node is stopping")
	select {
	case e.busy <- struct{}{}:
	case <-ctx.Done():
		return late()
	case <-e.stopping:
		return stopping
	}
	if minIndex > 0 && e.written() >= minIndex {
		<-e.busy
		return nil
	}
	e.patience.begin(time.Now())
	outcome, taken := compaction.Ask(e.raft), make(chan error, 1)
	go func() {
		defer func() { <-e.busy }()
		select {
		case err := <-outcome:
			taken <- err
		case <-e.stopping:
			return
		}
		select {
		case <-time.After(exportPause):
		case <-e.stopping:
		}
	}()
	select {
	case err := <-taken:
		if err != nil {
			return fault.Wrap(fault.Unavailable, "This node could not write the snapshot that an export reads", err)
		}
		return nil
	case <-ctx.Done():
		return late()
	case <-e.stopping:
		return stopping
	}
}
