package store

import (
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
)

// boltTimeout bounds the wait for bbolt's own lock. We hold the directory's, so
// only a file shared by two directories ever waits.
const boltTimeout = 2 * time.Second

// boltOptions are the options of every bbolt file. The freelist is not written:
// with it every commit rewrites a list that grows with the file (bbolt #401).
func boltOptions() *bbolt.Options {
	return &bbolt.Options{Timeout: boltTimeout, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
}

// mapReserve is the address space to set aside for state.db. bbolt waits for all
// readers before it enlarges its mapping, and a follower that is slow to take a
// snapshot is a reader for minutes: without the reserve it would block the next
// local snapshot. Address space costs nothing until it is used.
func mapReserve(path string) int {
	if strconv.IntSize < 64 {
		return 0
	}
	reserve := int64(16 << 30)
	if info, err := os.Stat(path); err == nil {
		reserve = max(reserve, 4*info.Size())
	}
	return int(reserve)
}

// createBolt makes an empty file with the given buckets, whole or not at all:
// bbolt's own creation, interrupted, leaves a file it refuses to open.
func createBolt(path string, buckets ...[]byte) error {
	tmp := path + tmpSuffix
	if err := os.RemoveAll(tmp); err != nil {
		return ioError(tmp, "removing a leftover", err)
	}
	db, err := bbolt.Open(tmp, fileMode, boltOptions())
	if err != nil {
		return ioError(tmp, "creating the file", err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range buckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return ioError(tmp, "creating the file", err)
	}
	return renameDurably(tmp, path)
}

// recoverDamage turns a panic of bbolt into an error that names the file. Deferred
// directly.
func recoverDamage(path string, err *error) {
	if p := recover(); p != nil {
		*err = damaged(path, "the content is inconsistent (%v)", p)
	}
}

// guard runs fn, which reads a mapped file: a page that cannot be read faults, and
// here the fault becomes a panic and the panic an error.
func guard(path string, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recoverDamage(path, &err)
	return fn()
}
