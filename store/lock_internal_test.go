//go:build unix

package store

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A child has all files of its parent open between its fork and its exec. It must not keep the directory.
func TestLock_IsReleasedBesideAChild(t *testing.T) {
	dir := t.TempDir()
	lock, err := lockDir(dir)
	require.NoError(t, err)
	child, err := syscall.Dup(int(lock.file.Fd()))
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(child)) }()
	require.NoError(t, lock.release())
	lock, err = lockDir(dir)
	require.NoError(t, err)
	require.NoError(t, lock.release())
}
