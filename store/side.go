package store

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// sideFile is a new state.db built beside the current one, in as many
// transactions as it takes; it has no effect until it is renamed.
type sideFile struct {
	*stateFile
	fill float64
}

func (s *snapshots) incomingPath() string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%d", incomingPrefix, s.sequence.Add(1)))
}

// spill moves the changes collected so far from memory to a run.
func (k *sink) spill() error {
	if err := k.store.dog.admit(); err != nil {
		return err
	}
	defer k.store.dog.begin(callSnapshotWrite, allowance(int64(k.changes.bytes))).end()
	r, err := writeRun(k.store.incomingPath(), len(k.runs), k.changes.inOrder())
	if err != nil {
		return err
	}
	k.runs = append(k.runs, r)
	k.changes.reset()
	return nil
}

// finishSide builds the side file and puts it in place.
func (k *sink) finishSide() error {
	if err := k.openSide(); err != nil {
		return err
	}
	if err := k.fillSide(); err != nil {
		return err
	}
	defer k.store.dog.begin(callSnapshotCommit, 0).end()
	if err := k.side.putHeader(&k.header); err != nil {
		return err
	}
	k.store.writeMu.Lock()
	defer k.store.writeMu.Unlock()
	now, err := k.store.header()
	if err != nil {
		return err
	}
	if err := k.checkBase(now); err != nil {
		return err
	}
	if err := k.store.install(k.side.stateFile); err != nil {
		return err
	}
	k.side = nil
	return nil
}

// openSide starts the side file: empty after Reset or when there is no snapshot
// yet, else a copy of the base.
func (k *sink) openSide() (err error) {
	path := k.store.incomingPath()
	defer func() {
		if err != nil {
			_ = os.Remove(path)
		}
	}()
	fill := fillUpdates
	if k.reset || k.base == "" {
		fill = fillOrdered
		if err := createBolt(path, bucketRecords, bucketSnapshot); err != nil {
			return err
		}
	} else if err := k.copyBase(path); err != nil {
		return err
	}
	f, err := openStateFile(path)
	if err != nil {
		return err
	}
	k.side = &sideFile{stateFile: f, fill: fill}
	return nil
}

func (k *sink) copyBase(path string) error {
	_, r, err := k.store.open(k.base)
	if err != nil {
		return err
	}
	if r == nil {
		return k.checkBase(&header{})
	}
	defer func() { _ = r.Close() }()
	defer k.store.dog.begin(callSnapshotCommit, allowance(r.tx.Size())).end()
	if err := guard(path, func() error { return r.tx.CopyFile(path, fileMode) }); err != nil {
		return ioError(path, "copying the snapshot", err)
	}
	k.header.Count, k.header.Sum = r.header.Count, r.header.Sum
	return nil
}

// fillSide applies the changes, in steps when they were spilled.
func (k *sink) fillSide() error {
	if len(k.runs) == 0 {
		return k.applyToSide(k.changes.inOrder())
	}
	if err := k.spill(); err != nil {
		return err
	}
	var batch changes
	err := merge(k.runs, func(ch change) error {
		batch.addStored(ch)
		if batch.bytes < k.store.spill {
			return nil
		}
		defer batch.reset()
		return k.applyToSide(batch.list)
	})
	if err != nil {
		return err
	}
	return k.applyToSide(batch.list)
}

func (k *sink) applyToSide(list []change) error {
	if err := k.store.dog.admit(); err != nil {
		return err
	}
	defer k.store.dog.begin(callSnapshotCommit, allowance(int64(len(list))*4096)).end()
	err := guard(k.side.path, func() error {
		return k.side.db.Update(func(tx *bbolt.Tx) error {
			done, err := applyChanges(k.side.path, tx, list, &k.header, k.side.fill)
			k.done.written += done.written
			k.done.deleted += done.deleted
			return err
		})
	})
	return ioError(k.side.path, "writing the snapshot", err)
}

func (f *stateFile) putHeader(h *header) error {
	err := guard(f.path, func() error {
		return f.db.Update(func(tx *bbolt.Tx) error { return writeHeader(tx, h) })
	})
	return ioError(f.path, "writing the header", err)
}

func (f *stateFile) discard() {
	_ = f.db.Close()
	_ = os.Remove(f.path)
}
