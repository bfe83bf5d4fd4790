//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// dirLock is the exclusive use of a data directory. The kernel releases a flock when its process ends. The file stays, because after a
// removal two processes could lock two files of this name.
type dirLock struct {
	file *os.File
	path string
}

func lockDir(dir string) (*dirLock, error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, ioError(path, "opening the lock file", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer func() { _ = f.Close() }()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &Error{Kind: KindLocked, Path: dir,
				Message: fmt.Sprintf("the directory is in use by %s; stop that process or name another directory", holder(path))}
		}
		return nil, ioError(path, "locking", err)
	}
	return &dirLock{f, path}, nil
}

// sign writes who holds the lock, after Open has checked that this build may use the directory.
func (l *dirLock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return ioError(l.path, "writing the process id", err)
	}
	_, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return ioError(l.path, "writing the process id", err)
}

func holder(path string) string {
	data, _ := os.ReadFile(path)
	if pid, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}

// release unlocks before it closes: a child that was forked a moment ago has the file open too, until it executes its program.
func (l *dirLock) release() error {
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}
