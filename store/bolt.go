package store

import (
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
)

// boltTimeout bounds the wait for bbolt's own lock. The lock of the directory is held already, so only a file that two directories share
// makes it wait.
const boltTimeout = 2 * time.Second

// boltOptions are the options of every bbolt file. bbolt would write the whole freelist with each commit (bbolt #401).
func boltOptions() *bbolt.Options {
	return &bbolt.Options{Timeout: boltTimeout, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
}

// mapReserve is the address space to reserve for state.db. bbolt waits for all readers before it enlarges its mapping. Without the reserve,
// a slow follower that receives the snapshot would block the next local snapshot. Unused address space costs nothing.
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

// createBolt creates an empty file with buckets atomically. bbolt refuses to open a file whose creation was interrupted.
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

// recoverDamage turns a panic of bbolt into an error that names the file. It must be deferred directly.
func recoverDamage(path string, err *error) {
	if p := recover(); p != nil {
		*err = damaged(path, "the content is inconsistent (%v)", p)
	}
}

// recoverPanic runs fn, which reads a mapped file. It turns panics, and faults of pages that cannot be read, into an error.
func recoverPanic(path string, fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recoverDamage(path, &err)
	return fn()
}
