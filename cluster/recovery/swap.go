package recovery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/creditd/creditd/store"
)

// A new directory is made inside of the one that it is for, which may be a mount point. Its name tells how far it got. No node starts in a
// directory that has one of these and no meta.json.
const (
	stagingName = "recovery.tmp"     // under construction
	readyName   = "recovery.ready"   // finished; the old data are being set aside
	placingName = "recovery.placing" // it is being moved to where it belongs
)

// beforeName begins the name of the directory that has the data from before a recovery. A number follows.
const beforeName = "before-recovery-"

// resume completes a swap that was interrupted after the old meta.json was moved. Before that, the node may have been started again, so the
// recovery begins anew.
func resume(dir string) (resumed bool, err error) {
	if exists(filepath.Join(dir, store.MetaName)) || !exists(filepath.Join(dir, readyName)) && !exists(filepath.Join(dir, placingName)) {
		return false, nil
	}
	return true, swap(dir)
}

// swap sets the old data aside and puts the new directory in their place.
func swap(dir string) error {
	if !exists(filepath.Join(dir, placingName)) {
		if err := setAside(dir); err != nil {
			return err
		}
		if err := rename(filepath.Join(dir, readyName), filepath.Join(dir, placingName)); err != nil {
			return err
		}
	}
	return place(dir)
}

// setAside moves the old data into a directory inside of dir. meta.json goes first: from then on no node starts here.
func setAside(dir string) error {
	before := newestBefore(dir)
	if exists(filepath.Join(dir, store.MetaName)) {
		before = nextBefore(dir)
		if err := os.MkdirAll(before, 0o700); err != nil {
			return err
		}
		if err := rename(filepath.Join(dir, store.MetaName), filepath.Join(before, store.MetaName)); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != store.LockName && (!e.IsDir() || name == string(store.LogWAL)) {
			if err := os.Rename(filepath.Join(dir, name), filepath.Join(before, name)); err != nil {
				return err
			}
		}
	}
	return errors.Join(store.SyncDir(before), store.SyncDir(dir))
}

// place moves what is under placingName to where it belongs. meta.json goes last: before that no node starts here.
func place(dir string) error {
	from := filepath.Join(dir, placingName)
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != store.LockName && name != store.MetaName {
			if err := os.Rename(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	if err := store.SyncDir(dir); err != nil {
		return err
	}
	if err := rename(filepath.Join(from, store.MetaName), filepath.Join(dir, store.MetaName)); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(from), store.SyncDir(dir))
}

// newestBefore is where the last recovery has set the old data aside; empty: there was none.
func newestBefore(dir string) (newest string) {
	for i := 1; ; i++ {
		name := filepath.Join(dir, fmt.Sprint(beforeName, i))
		if !exists(name) {
			return newest
		}
		newest = name
	}
}

func nextBefore(dir string) string {
	for i := 1; ; i++ {
		if name := filepath.Join(dir, fmt.Sprint(beforeName, i)); !exists(name) {
			return name
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// rename renames durably.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(store.SyncDir(filepath.Dir(to)), store.SyncDir(filepath.Dir(from)))
}
