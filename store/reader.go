package store

import (
	"bytes"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

// RecordReader reads the records of an open snapshot without copying the file. The reader that SnapshotStore.Open returns implements it.
type RecordReader interface {
	// ID is the snapshot's id. Compare it with SnapshotSink.Base later.
	ID() string
	// Index is the index of the last log entry in the snapshot.
	Index() uint64
	// Ledger is what SetLedger stored with the snapshot.
	Ledger() Ledger
	// Count is the number of records.
	Count() int
	// CountOf is about the number of records whose keys begin with a byte; 0: nobody knows.
	CountOf(first byte) int
	// Records calls fn for each record in key order. key and value are valid only during the call. Records checks each record before the
	// call, and the count and sum of all at the end. Use what fn collected only if Records returns nil. It returns an error of fn.
	Records(fn func(key, value []byte) error) error
	// Unusable returns the error to stop with if the records are no valid state. It names the file and says what to do.
	Unusable(cause error) error
}

// RecordsOf finds the RecordReader in the wrappers that raft puts around a snapshot before it calls FSM.Restore.
func RecordsOf(r io.Reader) (RecordReader, error) {
	for {
		if records, ok := r.(RecordReader); ok {
			return records, nil
		}
		wrapper, ok := r.(raft.ReadCloserWrapper)
		if !ok {
			return nil, &Error{Kind: KindInvalid, Message: "the reader is not a snapshot of this store"}
		}
		r = wrapper.WrappedReadCloser()
	}
}

// reader is an open snapshot. Its read transaction keeps its version of the file readable during later writes.
type reader struct {
	store  *snapshots
	file   *stateFile
	tx     *bbolt.Tx
	header *header

	rest func(worked time.Duration) // nil: a copy does not rest
	once sync.Once
	pipe *io.PipeReader // set by the first Read
	done sync.WaitGroup
}

var (
	_ RecordReader  = (*reader)(nil)
	_ io.WriterTo   = (*reader)(nil)
	_ io.ReadCloser = (*reader)(nil)
	_ PacedCopy     = (*reader)(nil)
)

func (r *reader) ID() string    { return r.header.ID }
func (r *reader) Index() uint64 { return r.header.Index }
func (r *reader) Count() int    { return r.header.Count }

func (r *reader) CountOf(first byte) int {
	if r.file.kinds == nil {
		return 0
	}
	return r.file.kinds[first]
}

// Pace implements PacedCopy.
func (r *reader) Pace(rest func(worked time.Duration)) { r.rest = rest }

func (r *reader) Ledger() Ledger {
	l := r.header.ledger()
	l.Digest = bytes.Clone(l.Digest)
	return l
}

func (r *reader) Unusable(cause error) error {
	if KindOf(cause) != "" { // it names the file already, or the store is closing
		return cause
	}
	return damaged(r.file.path, "the snapshot at index %d does not load (%v)", r.header.Index, cause)
}

func (r *reader) Records(fn func(key, value []byte) error) error {
	if r.tx == nil {
		return errClosed
	}
	var fnErr error
	err := recoverRead(r.file.path, func() error {
		var count int
		var sum uint64
		var last []byte
		c := r.tx.Bucket(bucketRecords).Cursor()
		for k, stored := c.First(); k != nil; k, stored = c.Next() {
			if r.store.closing.Load() {
				return errClosed
			}
			value, ok := unseal(k, stored)
			if !ok || (last != nil && bytes.Compare(last, k) >= 0) {
				return damaged(r.file.path, "a record fails its checksum")
			}
			last = append(last[:0], k...)
			count++
			sum += uint64(sealOf(stored))
			if fnErr = callUnprotected(fn, k, value); fnErr != nil {
				return nil
			}
		}
		if count != r.header.Count || sum != r.header.Sum {
			return damaged(r.file.path, "the header promises %d records, the file has %d", r.header.Count, count)
		}
		return nil
	})
	if err != nil {
		if KindOf(err) != KindClosed {
			r.store.watchdog.fail(err)
		}
		return err
	}
	return fnErr
}

// fnPanic carries a panic of the caller's function through recoverRead.
type fnPanic struct{ value any }

func callUnprotected(fn func(key, value []byte) error, key, value []byte) error {
	defer func() {
		if p := recover(); p != nil {
			panic(fnPanic{p})
		}
	}()
	return fn(key, value)
}

// recoverRead is recoverPanic for code that also runs the caller's function. A panic of that function is no damage.
func recoverRead(path string, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case fnPanic:
			panic(p.value)
		default:
			err = damaged(path, "the content is inconsistent (%v)", p)
		}
	}()
	return read()
}

// WriteTo writes the file as of this snapshot, or the rest of it after Read. io.Copy and raft's transport use it.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	if r.tx == nil {
		return 0, errClosed
	}
	if r.pipe != nil {
		return io.Copy(w, r.pipe)
	}
	return r.copyFile(w)
}

func (r *reader) copyFile(w io.Writer) (int64, error) {
	r.store.transfers.began(r)
	return r.tx.WriteTo(&copying{w: w, store: r.store, rest: r.rest, began: time.Now()})
}

// Read implements io.Reader for callers without WriteTo.
func (r *reader) Read(p []byte) (int, error) {
	r.once.Do(func() {
		pr, pw := io.Pipe()
		r.pipe = pr
		r.done.Go(func() {
			_, err := r.copyFile(pw)
			_ = pw.CloseWithError(err) // nil reads as io.EOF
		})
	})
	if r.pipe == nil {
		return 0, errClosed
	}
	return r.pipe.Read(p)
}

// Close ends the transaction. It may be called twice.
func (r *reader) Close() error {
	r.once.Do(func() {}) // no Read may start now
	if r.tx == nil {
		return nil
	}
	if r.pipe != nil {
		_ = r.pipe.CloseWithError(errClosed)
		r.done.Wait()
	}
	err := r.tx.Rollback()
	r.tx = nil
	r.store.transfers.ended(r)
	r.store.release(r.file)
	return ioError(r.file.path, "closing the snapshot", err)
}
