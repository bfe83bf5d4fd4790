//go:build !linux

package store

import "os"

// writeOut sends what was written to a file to the disk, and rests.
func writeOut(f *os.File, rest func() error) error {
	if _, err := writeOutRange(f, 0, 0); err != nil {
		return err
	}
	return rest()
}

// writeOutRange sends a part of a file to the disk. ok is false where that cannot be done.
func writeOutRange(f *os.File, _, _ int64) (ok bool, err error) { return true, f.Sync() }

// syncData makes what was written to a file durable.
func syncData(f fileDescriptor) error { return f.Sync() }
