package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeOut sends what was written to a file to the disk, in steps of SyncEvery, and rests after each. It makes nothing durable: that needs an
// fsync, which then finds little to do. Some systems and sandboxes lack the call; there the fsync does all of it.
func writeOut(f *os.File, rest func() error) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for at := int64(0); at < info.Size(); at += SyncEvery {
		if ok, err := writeOutRange(f, at, SyncEvery); err != nil || !ok {
			return err
		}
		if err := rest(); err != nil {
			return err
		}
	}
	return nil
}

// writeOutRange sends a part of a file to the disk, and waits for it. It makes nothing durable. ok is false where that cannot be done.
func writeOutRange(f *os.File, at, size int64) (ok bool, err error) {
	const flags = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	switch err := unix.SyncFileRange(int(f.Fd()), at, size, flags); err {
	case nil:
		return true, nil
	case unix.ENOSYS, unix.EOPNOTSUPP, unix.EINVAL, unix.EPERM:
		return false, nil
	default:
		return false, os.NewSyscallError("sync_file_range", err)
	}
}

// syncData makes what was written to a file durable. Unlike an fsync it leaves the time of the change to the file system.
func syncData(f fileDescriptor) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
