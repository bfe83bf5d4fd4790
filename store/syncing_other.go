//go:build !linux

package store

import "os"

// writeOut sends what was written to a file to the disk, and rests.
func writeOut(f *os.File, rest func()) error {
	err := f.Sync()
	rest()
	return err
}

// syncData makes what was written to a file durable.
func syncData(f fileDescriptor) error { return f.Sync() }
