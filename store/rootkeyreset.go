package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// RequestRootKeyReset leaves a request in the directory of a node that does not run: content is what the node shall do when it starts. It reports
// whether an earlier request, which was not executed yet, gave way to it.
func RequestRootKeyReset(dir string, content []byte) (replaced bool, err error) {
	if _, err := os.Stat(filepath.Join(dir, MetaName)); err != nil {
		return false, ioError(filepath.Join(dir, MetaName), "this is no data directory of a node: reading", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	_, err = os.Lstat(filepath.Join(dir, resetName))
	return err == nil, writeFileDurably(filepath.Join(dir, resetName), content)
}

// RootKeyReset returns what RequestRootKeyReset left, nil if there is nothing.
func (s *Store) RootKeyReset() ([]byte, error) {
	path := filepath.Join(s.dir, resetName)
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, ioError(path, "reading", err)
}

// ClearRootKeyReset forgets the request, which was executed.
func (s *Store) ClearRootKeyReset() error {
	path := filepath.Join(s.dir, resetName)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioError(path, "removing", err)
	}
	return SyncDir(s.dir)
}
