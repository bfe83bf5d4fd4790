package store

import (
	"bytes"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"
)

// View is the newest snapshot, for a reader that looks for records one by one. Its read transaction keeps its version of the file, also while
// later snapshots are written or another file takes its place. That costs disk space, so a view must not stay open for long.
type View struct {
	r      *reader
	find   *bbolt.Cursor // of Find: a cursor for each call would be garbage
	close  sync.Once
	closed error
}

// View opens the newest snapshot.
func (s *Store) View() (*View, error) {
	list, err := s.snaps.List()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &Error{Kind: KindStale, Message: "there is no snapshot yet"}
	}
	_, r, err := s.snaps.open(list[0].ID)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, &Error{Kind: KindStale, Message: fmt.Sprintf("snapshot %s was replaced", list[0].ID)}
	}
	return &View{r: r}, nil
}

// Index is the index of the last log entry in the snapshot.
func (v *View) Index() uint64 { return v.r.Index() }

// Term is the term of that entry.
func (v *View) Term() uint64 { return v.r.header.Term }

// Whole reads all records of the snapshot, and checks that it is all of them.
func (v *View) Whole() RecordReader { return v.r }

// Records calls fn for each record whose key begins with a prefix, in key order. key and value are valid only during the call. It returns an
// error of fn. fn may call Find.
func (v *View) Records(prefix []byte, fn func(key, value []byte) error) error {
	var fnErr error
	err := recoverRead(v.r.file.path, func() error {
		c := v.r.tx.Bucket(bucketRecords).Cursor()
		for k, stored := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, stored = c.Next() {
			if v.r.store.closing.Load() {
				return errClosed
			}
			value, ok := unseal(k, stored)
			if !ok {
				return damaged(v.r.file.path, "a record fails its checksum")
			}
			if fnErr = callUnprotected(fn, k, value); fnErr != nil {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		v.report(err)
		return err
	}
	return fnErr
}

// Find calls fn with the record with a key, unless there is none. value is valid only during the call. It returns an error of fn.
func (v *View) Find(key []byte, fn func(value []byte) error) error {
	var fnErr error
	err := recoverRead(v.r.file.path, func() error {
		if v.find == nil {
			v.find = v.r.tx.Bucket(bucketRecords).Cursor()
		}
		k, stored := v.find.Seek(key)
		if !bytes.Equal(k, key) {
			return nil
		}
		value, ok := unseal(key, stored)
		if !ok {
			return damaged(v.r.file.path, "a record fails its checksum")
		}
		fnErr = callUnprotected(func(_, value []byte) error { return fn(value) }, nil, value)
		return nil
	})
	if err != nil {
		v.report(err)
		return err
	}
	return fnErr
}

// report stops the node for damage, as a restore would.
func (v *View) report(err error) {
	if KindOf(err) != KindClosed {
		v.r.store.watchdog.fail(err)
	}
}

// Close ends the view. It may be called twice.
func (v *View) Close() error {
	v.close.Do(func() { v.closed = v.r.Close() })
	return v.closed
}
