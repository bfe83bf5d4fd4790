package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/creditd/creditd/store"
)

// wholeFile is a file that appears under its name when it is complete. It goes to the disk as it is written: see store.Syncing.
type wholeFile struct {
	*os.File
	steps store.Syncing
	name  string
}

// Write implements io.Writer.
func (f *wholeFile) Write(p []byte) (int, error) { return f.steps.Write(p) }

func createWhole(name string) (*wholeFile, error) {
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &wholeFile{f, store.Syncing{File: f}, name}, nil
}

func (f *wholeFile) keep() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), f.name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(f.name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// discard removes a file that was not kept.
func (f *wholeFile) discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}
