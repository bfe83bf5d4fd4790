package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeOut sends what was written to a file to the disk, in steps of SyncEvery, and rests after each. It makes nothing durable: that needs an
// fsync, which then finds little to do. Some systems and sandboxes lack the call; there the fsync does all of it.
func writeOut(f *os.File, rest func()) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	const flags = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	for at := int64(0); at < info.Size(); at += SyncEvery {
		switch err := unix.SyncFileRange(int(f.Fd()), at, SyncEvery, flags); err {
		case nil:
			rest()
		case unix.ENOSYS, unix.EOPNOTSUPP, unix.EINVAL, unix.EPERM:
			return nil
		default:
			return os.NewSyscallError("sync_file_range", err)
		}
	}
	return nil
}

// syncData makes what was written to a file durable. Unlike an fsync it leaves the time of the change to the file system.
func syncData(f fileDescriptor) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
