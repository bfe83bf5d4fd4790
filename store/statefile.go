package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"go.etcd.io/bbolt"

	"github.com/creditd/creditd/store/failpoint"
)

// stateFile is one open state.db. After its replacement it stays open until its last reader is done.
type stateFile struct {
	db    *bbolt.DB
	path  string
	kinds *kindCounts // as the file was when it was verified; nil: it was not

	// Guarded by snapshots.mu.
	users   int
	retired bool
	closed  chan struct{} // closed with the file: after its retirement and its last user
}

func openStateFile(path string) (_ *stateFile, err error) {
	defer recoverDamage(path, &err)
	options := boltOptions()
	options.InitialMmapSize = mapReserve(path)
	db, err := bbolt.Open(path, fileMode, options)
	if errors.Is(err, syscall.ENOMEM) { // a limit on address space
		db, err = bbolt.Open(path, fileMode, boltOptions())
	}
	if err != nil {
		return nil, ioError(path, "opening", err)
	}
	db.AllocSize = 4 << 20
	return &stateFile{db: db, path: path, closed: make(chan struct{})}, nil
}

// acquire returns the current file. The caller must release it.
func (s *snapshots) acquire() (*stateFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return nil, errClosed
	}
	s.current.users++
	return s.current, nil
}

func (s *snapshots) release(f *stateFile) {
	s.mu.Lock()
	f.users--
	last := f.retired && f.users == 0
	s.mu.Unlock()
	if last {
		s.closeFile(f)
	}
}

// swap makes next the current file and retires the previous one. A nil next closes the store.
func (s *snapshots) swap(next *stateFile) *stateFile {
	s.mu.Lock()
	old := s.current
	s.current = next
	var last bool
	if old != nil {
		old.retired = true
		last = old.users == 0
	}
	s.mu.Unlock()
	if last {
		s.closeFile(old)
	}
	return old
}

func (s *snapshots) closeFile(f *stateFile) {
	if err := f.db.Close(); err != nil {
		s.logger.Warn("closing a state file failed", "error", err)
	}
	close(f.closed)
}

// install renames a finished file to state.db and makes it current. The caller holds writeMu.
func (s *snapshots) install(f *stateFile) error {
	target := filepath.Join(s.dir, stateName)
	failpoint.Hit(failpoint.InstallBeforeRename)
	if err := os.Rename(f.path, target); err != nil {
		return ioError(target, "renaming into place", err)
	}
	failpoint.Hit(failpoint.InstallAfterRename)
	if err := SyncDir(s.dir); err != nil {
		s.watchdog.fail(err) // any error: the directory may name another file than the one in use
		return err
	}
	f.path = target
	s.swap(f)
	failpoint.Hit(failpoint.InstallAfterSwap)
	return nil
}

// view runs fn in a read transaction of the current file.
func (s *snapshots) view(fn func(*stateFile, *bbolt.Tx) error) error {
	f, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release(f)
	return recoverPanic(f.path, func() error {
		return f.db.View(func(tx *bbolt.Tx) error { return fn(f, tx) })
	})
}
