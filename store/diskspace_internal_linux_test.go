package store

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Network file systems like to be written in large blocks and count small ones: 256 times the free space would hide a full disk.
func TestFreeBytes_CountsInBlocksOfTheFileSystem(t *testing.T) {
	require.Equal(t, uint64(4096), blockSize(&unix.Statfs_t{Bsize: 1 << 20, Frsize: 4096}))
	require.Equal(t, uint64(4096), blockSize(&unix.Statfs_t{Bsize: 4096}), "old kernels leave it out")
}
