package store

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// sideFile is a new state.db being built beside the current one, in as many
// transactions as it takes; it has no effect until it is renamed.
type sideFile struct {
	*stateFile
	fill float64
}

func (s *snapshots) incomingPath() string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%d", incomingPrefix, s.sequence.Add(1)))
}

// flushSide writes the changes collected so far to the side file.
func (k *sink) flushSide() (err error) {
	if err := k.store.dog.admit(); err != nil {
		return err
	}
	if k.side == nil {
		if err := k.openSide(); err != nil {
			return err
		}
	}
	defer k.store.dog.begin(callSnapshotCommit, allowance(int64(len(k.changes.list))*4096)).end()
	err = guard(k.side.path, func() error {
		return k.side.db.Update(func(tx *bbolt.Tx) error {
			written, deleted, err := k.changes.apply(k.side.path, tx, &k.header, k.side.fill)
			k.written += written
			k.deleted += deleted
			return err
		})
	})
	k.changes.reset()
	return ioError(k.side.path, "writing the snapshot", err)
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
	if k.reset || k.base == "" {
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
	k.side = &sideFile{stateFile: f, fill: fillUpdates}
	if k.header.Count == 0 {
		k.side.fill = fillOrdered
	}
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

// finishSide writes the header and puts the side file in place.
func (k *sink) finishSide() error {
	defer k.store.dog.begin(callSnapshotCommit, 0).end()
	k.store.writeMu.Lock()
	defer k.store.writeMu.Unlock()
	now, err := k.store.header()
	if err != nil {
		return err
	}
	if err := k.checkBase(now); err != nil {
		return err
	}
	if err := k.side.putHeader(&k.header); err != nil {
		return err
	}
	if err := k.store.install(k.side.stateFile); err != nil {
		return err
	}
	k.side = nil
	return nil
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
