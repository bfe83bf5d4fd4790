package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"github.com/prometheus/procfs"
)

// Attackers get only the CPU that the nodes and the victim leave, as if they had machines of their own. Two things see to that: each thread has
// the lowest priority (behindTheNodes), and where this process may make control groups, all threads together are one that gives way (idleGroup).
// Without the group, eight threads of the lowest priority still took the p99 of a victim whom nobody attacked to twice what it was.

// behindTheNodes is a command that starts another one with the lowest priority. That must be set before the process has threads: on Linux each
// thread has its own, and set from within it would hold for one of them.
func behindTheNodes() []string {
	if path, err := exec.LookPath("chrt"); err == nil && runtime.GOOS == "linux" {
		return []string{path, "--idle", "0"} // unlike a nice process, an idle one gives way at once
	}
	return []string{"nice", "-n", "19"}
}

// idleGroup is a control group whose processes run when no other wants the CPU. An empty one is none.
type idleGroup string

// newIdleGroup makes the group below that of this process. It returns none where that is not possible: another system, no right to, or a
// kernel before 5.15.
func newIdleGroup() idleGroup {
	for _, parent := range cpuGroups() {
		group := filepath.Join(parent, "attackers-"+strconv.Itoa(os.Getpid()))
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		if os.WriteFile(filepath.Join(group, "cpu.idle"), []byte("1"), 0) == nil { // the kernel makes the file
			return idleGroup(group)
		}
		_ = os.Remove(group)
	}
	return ""
}

// cpuGroups are the directories of the groups of this process that may share out CPU: of both versions of control groups.
func cpuGroups() (dirs []string) {
	self, err := procfs.Self()
	if err != nil {
		return nil
	}
	groups, err := self.Cgroups()
	if err != nil {
		return nil
	}
	mounts, err := procfs.GetMounts()
	if err != nil {
		return nil
	}
	for _, mount := range mounts {
		_, cpu := mount.SuperOptions["cpu"]
		for _, group := range groups {
			second := mount.FSType == "cgroup2" && group.HierarchyID == 0
			first := mount.FSType == "cgroup" && cpu && slices.Contains(group.Controllers, "cpu")
			below, err := filepath.Rel(mount.Root, group.Path)
			if (first || second) && err == nil && filepath.IsLocal(below) {
				dirs = append(dirs, filepath.Join(mount.MountPoint, below))
			}
		}
	}
	return dirs
}

// add moves a process into the group, with its threads. Where that is refused, priority alone must do.
func (g idleGroup) add(pid int) {
	if g != "" {
		_ = os.WriteFile(filepath.Join(string(g), "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	}
}

// remove is called when no process is in the group any more.
func (g idleGroup) remove() {
	if g != "" {
		_ = os.Remove(string(g)) // an empty group costs nobody anything
	}
}
