package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// ownerOf returns who owns a directory, if this process runs as root and the directory is somebody else's.
func ownerOf(dir string) (uid, gid int, foreign bool) {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return 0, 0, false // whoever needs the directory says what is wrong with it
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// becomeOwner makes this process one of the user that owns a data directory, if root runs it: a file of root's in there would keep the node
// from starting. There is no way back.
func becomeOwner(dir string) error {
	uid, gid, foreign := ownerOf(dir)
	if !foreign {
		return nil
	}
	for _, step := range []func() error{
		func() error { return syscall.Setgroups([]int{gid}) },
		func() error { return syscall.Setgid(gid) },
		func() error { return syscall.Setuid(uid) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("%s belongs to the user %d: run this as that user: %w", dir, uid, err)
		}
	}
	return nil
}

// warnOfRoot warns of a node that root runs in a data directory of somebody else. It may be a container whose volume has another owner.
func warnOfRoot(s *settings.Set, dir string) {
	if uid, _, foreign := ownerOf(dir); foreign {
		s.Warn("data-dir", "%s belongs to the user %d, and root runs this node: that user cannot read what it writes; run it as one of the two", dir, uid)
	}
}
