package launch

import (
	"fmt"
	"os"
	"syscall"
)

// disk is a file system in memory for one data directory. Its size can shrink to that of its content.
type disk struct{ dir string }

// diskSize leaves room for several segments of the log.
const diskSize = 1 << 30

// mountDisk needs the rights of root, and a system that lets root mount.
func mountDisk(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mount("chaos", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=755", diskSize)); err != nil {
		return nil, fmt.Errorf("mount a small disk: %w", err)
	}
	return &disk{dir}, nil
}

// fill leaves spare bytes free.
func (d *disk) fill(spare int64) error {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &stat); err != nil {
		return err
	}
	used := int64(stat.Blocks-stat.Bfree) * stat.Bsize
	return d.resize(used + spare)
}

// free gives the disk its room back.
func (d *disk) free() error { return d.resize(diskSize) }

func (d *disk) resize(size int64) error {
	return syscall.Mount("chaos", d.dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size))
}

func (d *disk) unmount() error { return syscall.Unmount(d.dir, syscall.MNT_DETACH) }
