package store

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/creditd/creditd/store/failpoint"
)

const (
	fileMode = 0o600
	dirMode  = 0o700
)

// writeFileDurably replaces the content of path atomically. The new content is durable when it returns nil. After an error or a crash
// the file has the old content or the new one.
func writeFileDurably(path string, data []byte) error {
	tmp := path + tmpSuffix
	if err := writeAndSync(tmp, data); err != nil {
		_ = os.Remove(tmp)
		return err
	}
	failpoint.Hit(failpoint.FileBeforeRename)
	return renameDurably(tmp, path)
}

func writeAndSync(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return ioError(path, "creating the file", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = ioError(path, "closing the file", cerr)
		}
	}()
	if _, err := f.Write(data); err != nil {
		return ioError(path, "writing", err)
	}
	return ioError(path, "fsync", f.Sync())
}

func renameDurably(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return ioError(to, "renaming into place", err)
	}
	failpoint.Hit(failpoint.FileAfterRename)
	return SyncDir(filepath.Dir(to))
}

// SyncDir makes what was created, renamed or removed in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return ioError(dir, "opening the directory", err)
	}
	defer func() { _ = d.Close() }()
	return ioError(dir, "fsync of the directory", d.Sync())
}

// selfTest tries a write, an fsync, a read and a deletion in the directory before the node votes.
func selfTest(dir string) error {
	path := filepath.Join(dir, selfTestName+tmpSuffix)
	want := make([]byte, 4096)
	_, _ = rand.Read(want) // never fails
	defer func() { _ = os.Remove(path) }()
	if err := writeAndSync(path, want); err != nil {
		return err
	}
	got, err := os.ReadFile(path)
	if err != nil {
		return ioError(path, "reading back the self test", err)
	}
	if !bytes.Equal(got, want) {
		return &Error{Kind: KindFailed, Path: path, Message: "the self test did not read what it wrote; check the disk"}
	}
	if err := os.Remove(path); err != nil {
		return ioError(path, "deleting the self test", err)
	}
	return SyncDir(dir)
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, ioError(path, "looking for the file", err)
}
