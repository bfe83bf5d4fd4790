package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// asidePrefix begins the name of the directory, inside the data directory, that SetAside moves everything to. The id of the node follows.
const asidePrefix = "removed-"

// MarkRemoved records that the node of this directory left its cluster for good, and how. Later calls of Open refuse the directory, so that
// the node neither votes nor campaigns again. It returns the error to stop with.
func (s *Store) MarkRemoved(report string) error {
	path := filepath.Join(s.dir, removedName)
	if err := writeFileDurably(path, []byte(report+"\n")); err != nil {
		return errors.Join(&Error{Kind: KindRemoved, Path: s.dir, Message: report}, err)
	}
	return checkRemoved(s.dir)
}

// checkRemoved refuses a directory after MarkRemoved.
func checkRemoved(dir string) error {
	path := filepath.Join(dir, removedName)
	report, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return ioError(path, "reading", err)
	}
	return &Error{Kind: KindRemoved, Path: dir, Message: strings.TrimSpace(string(report))}
}

// SetAside moves the content of a directory whose node left its cluster for good into a directory inside of it, so that a new node can
// begin there, and returns the name. A mount point can be emptied like this, but not renamed. An interrupted move is completed by the next
// call, because the mark goes last. It returns "" if the directory has no such mark.
func SetAside(dir string) (aside string, err error) {
	if err := checkRemoved(dir); KindOf(err) != KindRemoved {
		return "", err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	if aside, err = asideName(dir); err != nil {
		return "", err
	}
	if err := os.MkdirAll(aside, dirMode); err != nil {
		return "", ioError(aside, "creating", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", ioError(dir, "reading the data directory", err)
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case name == gossipKeysName: // the new node finds the others by them
		case name == LockName || name == removedName || name == "lost+found" || strings.HasPrefix(name, asidePrefix):
		default:
			if err := move(dir, aside, name); err != nil {
				return "", err
			}
		}
	}
	if err := errors.Join(SyncDir(aside), SyncDir(dir)); err != nil {
		return "", err
	}
	if err := move(dir, aside, removedName); err != nil {
		return "", err
	}
	return aside, errors.Join(SyncDir(aside), SyncDir(dir))
}

func move(from, to, name string) error {
	return ioError(filepath.Join(from, name), "setting it aside", os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
}

// asideName returns where to move the directory's content: the directory that an interrupted move has begun, or a new one.
func asideName(dir string) (string, error) {
	for i := 1; ; i++ {
		aside := filepath.Join(dir, fmt.Sprintf("%s%d", asidePrefix, i))
		switch done, err := exists(filepath.Join(aside, removedName)); {
		case err != nil:
			return "", err
		case !done:
			return aside, nil
		}
	}
}
