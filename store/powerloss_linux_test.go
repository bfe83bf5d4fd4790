package store_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/creditd/creditd/store"
)

// powerRig is a file system that can lose power: ext4 in a file, shut down without writing what was not synced.
type powerRig struct {
	t            *testing.T
	image, mount string
}

const (
	powerImageSize = 512 << 20 // sparse
	// ext4's EXT4_IOC_SHUTDOWN, and the flag that keeps even the journal from being written.
	ioctlShutdown   = 0x8004587d
	withoutLogFlush = 2
)

func newPowerRig(t *testing.T) *powerRig {
	r := &powerRig{t: t, image: filepath.Join(t.TempDir(), "image"), mount: t.TempDir()}
	if os.Getuid() != 0 {
		t.Skip("only root can mount")
	}
	require.NoError(t, os.WriteFile(r.image, nil, 0o600))
	require.NoError(t, os.Truncate(r.image, powerImageSize))
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", r.image).CombinedOutput(); err != nil {
		t.Skipf("no ext4 here: %v %s", err, out)
	}
	if err := r.up(); err != nil {
		t.Skipf("this machine mounts no images: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(r.mount, unix.MNT_DETACH) })
	return r
}

func (r *powerRig) up() error { return exec.Command("mount", "-o", "loop", r.image, r.mount).Run() }

// lose cuts the power while s is open, and brings the file system up again.
func (r *powerRig) lose(s *store.Store) {
	dir, err := os.Open(r.mount)
	require.NoError(r.t, err)
	flags := uint32(withoutLogFlush)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, dir.Fd(), ioctlShutdown, uintptr(unsafe.Pointer(&flags)))
	require.NoError(r.t, dir.Close())
	if errno != 0 {
		r.t.Skipf("this kernel cannot shut a file system down: %v", errno)
	}
	_ = s.Close() // nothing that it writes can arrive
	require.NoError(r.t, unix.Unmount(r.mount, 0))
	require.NoError(r.t, r.up())
}

// What was stored is there after the power failed: entries, the vote, and the identity of the directory.
func TestPowerLoss_LosesNothingThatWasStored(t *testing.T) {
	const rounds, batch = 5, 10
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			rig := newPowerRig(t)
			dir := filepath.Join(rig.mount, "data")
			id, last := "", uint64(0)
			for round := range uint64(rounds) {
				s := mustOpen(t, dir, withLog(kind))
				if id == "" {
					id = s.NodeID()
				}
				require.Equal(t, id, s.NodeID())
				requireLog(t, s.Log(), min(last, 1), last)
				if round > 0 {
					term, err := s.Stable().GetUint64([]byte("CurrentTerm"))
					require.NoError(t, err)
					require.Equal(t, round, term)
				}
				require.NoError(t, s.Stable().SetUint64([]byte("CurrentTerm"), round+1))
				// In one write and then in some more: only the first one syncs the whole segment.
				require.NoError(t, s.Log().StoreLogs(entries(last+1, last+batch, round+1)))
				last += batch
				for range batch {
					last++
					require.NoError(t, s.Log().StoreLogs(entries(last, last, round+1)))
				}
				rig.lose(s)
			}
			requireLog(t, mustOpen(t, dir).Log(), 1, last)
		})
	}
}

// The vote, a snapshot that is updated in place or beside the present one, and an installed one survive a power failure, each by its own writes.
func TestPowerLoss_KeepsVoteAndSnapshots(t *testing.T) {
	rig := newPowerRig(t)
	dir := filepath.Join(rig.mount, "new", "data")
	leader := mustOpen(t, t.TempDir())
	snapshot(t, leader, 50, numbered(0, 500, "copied"))

	s := mustOpen(t, dir)
	require.NoError(t, s.Stable().SetUint64(currentTerm, 2))
	require.NoError(t, s.Stable().SetUint64(voteTerm, 2))
	require.NoError(t, s.Stable().Set(voteCand, []byte("node_a")))
	rig.lose(s)

	s = mustOpen(t, dir)
	term, candidate := vote(t, s)
	require.Equal(t, uint64(2), term)
	require.Equal(t, "node_a", candidate)
	snapshot(t, s, 10, numbered(0, 500, "first"))
	rig.lose(s)

	s = mustOpen(t, dir)
	require.Equal(t, numbered(0, 500, "first"), contents(t, s))
	snapshot(t, s, 20, numbered(0, 500, "beside"))
	rig.lose(s)

	s = mustOpen(t, dir)
	want := numbered(0, 500, "beside")
	require.Equal(t, want, contents(t, s))
	snapshot(t, s, 30, numbered(0, 10, "in place"))
	maps.Copy(want, numbered(0, 10, "in place"))
	rig.lose(s)

	s = mustOpen(t, dir)
	require.Equal(t, want, contents(t, s))
	send(t, leader, s)
	rig.lose(s)

	s = mustOpen(t, dir)
	require.Equal(t, numbered(0, 500, "copied"), contents(t, s))
	require.Equal(t, uint64(50), s.Stats().SnapshotIndex)
	require.NoError(t, s.Close())
}
