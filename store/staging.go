package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/bbolt"
)

// stagingFile is a new state.db that is built beside the current one, in several transactions. It has no effect until it is renamed, so its
// transactions need not be durable: it goes to the disk in small steps, and the last transaction makes all of it durable.
type stagingFile struct {
	*stateFile
	fill float64
	file *os.File // the same file once more, as bbolt keeps its own
}

func openStagingFile(path string, fill float64) (*stagingFile, error) {
	f, err := openStateFile(path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR, fileMode)
	if err != nil {
		_ = f.db.Close()
		return nil, ioError(path, "opening", err)
	}
	f.db.NoSync, f.db.NoGrowSync = true, true
	return &stagingFile{stateFile: f, fill: fill, file: file}, nil
}

// seal writes the header and makes the file durable.
func (f *stagingFile) seal(h *header) error {
	f.db.NoSync, f.db.NoGrowSync = false, false
	err := f.putHeader(h)
	if cerr := f.file.Close(); err == nil {
		err = ioError(f.path, "closing", cerr)
	}
	f.file = nil
	return err
}

func (f *stagingFile) discard() {
	if f.file != nil {
		_ = f.file.Close()
	}
	f.stateFile.discard()
}

func (s *snapshots) incomingPath() string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%d", incomingPrefix, s.sequence.Add(1)))
}

// spill moves the collected changes from memory to a run.
func (k *sink) spill() error {
	if err := k.store.watchdog.admit(); err != nil {
		return err
	}
	defer k.store.watchdog.begin(callSnapshotWrite, allowance(int64(k.changes.bytes))).end()
	r, err := writeRun(k.store.incomingPath(), len(k.runs), k.changes.inOrder())
	if err != nil {
		return err
	}
	k.runs = append(k.runs, r)
	k.changes.reset()
	return nil
}

// finishStaging builds the staging file and installs it.
func (k *sink) finishStaging() error {
	if err := k.openStaging(); err != nil {
		return err
	}
	if err := k.fillStaging(); err != nil {
		return err
	}
	defer k.begin(0)()
	if err := k.staging.seal(&k.header); err != nil {
		return err
	}
	k.lockWrites()
	defer k.store.writeMu.Unlock()
	now, err := k.store.header()
	if err != nil {
		return err
	}
	if err := k.checkBase(now); err != nil {
		return err
	}
	if err := k.store.install(k.staging.stateFile); err != nil {
		return err
	}
	k.staging = nil
	return nil
}

// openStaging starts the staging file: empty after Reset or without a snapshot, else a copy of the base.
func (k *sink) openStaging() (err error) {
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
	k.staging, err = openStagingFile(path, fill)
	return err
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
	defer k.begin(allowance(r.tx.Size()))()
	if err := recoverPanic(path, func() error { return k.copyInto(path, r) }); err != nil {
		if given := k.store.mayGoOn(); given != nil { // bbolt keeps only the text of an error
			return given
		}
		return ioError(path, "copying the snapshot", err)
	}
	k.header.Count, k.header.Sum = r.header.Count, r.header.Sum
	return nil
}

func (k *sink) copyInto(path string, r *reader) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = r.tx.WriteTo(&resting{w: &Syncing{File: f}, rest: k.rest})
	return err
}

// How much of the changes one transaction applies to the staging file, in number and bytes. It holds a page in memory for each that it changes, and its
// end writes all of them without a rest. Changes come in the order of their keys, so the next transaction changes other pages.
const (
	stagingChanges = 4096
	stagingBytes   = 4 << 20
)

// fillStaging applies the changes in several transactions.
func (k *sink) fillStaging() error {
	if len(k.runs) == 0 {
		for list := range slices.Chunk(k.changes.inOrder(), stagingChanges) {
			if err := k.applyToStaging(list); err != nil {
				return err
			}
		}
		return nil
	}
	if err := k.spill(); err != nil {
		return err
	}
	var batch changes
	err := merge(k.runs, func(ch change) error {
		batch.addStored(ch)
		if len(batch.list) < stagingChanges && batch.bytes < min(stagingBytes, k.store.spill) {
			return nil
		}
		defer batch.reset()
		return k.applyToStaging(batch.list)
	})
	if err != nil {
		return err
	}
	return k.applyToStaging(batch.list)
}

func (k *sink) applyToStaging(list []change) error {
	if err := k.store.watchdog.admit(); err != nil {
		return err
	}
	defer k.begin(allowance(pagesOf(list)))()
	err := recoverPanic(k.staging.path, func() error {
		return k.staging.db.Update(func(tx *bbolt.Tx) error {
			done, err := applyChanges(k.staging.path, tx, list, &k.header, k.staging.fill, k.breathe)
			k.done.written += done.written
			k.done.deleted += done.deleted
			return err
		})
	})
	if err == nil {
		err = writeOut(k.staging.file, k.rest)
	}
	return ioError(k.staging.path, "writing the snapshot", err)
}

func (f *stateFile) putHeader(h *header) error {
	err := recoverPanic(f.path, func() error {
		return f.db.Update(func(tx *bbolt.Tx) error { return writeHeader(tx, h) })
	})
	return ioError(f.path, "writing the header", err)
}

func (f *stateFile) discard() {
	_ = f.db.Close()
	_ = os.Remove(f.path)
}
