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

// Attackers get only the CPU that the nodes and the victim leave. Each of their threads has the lowest priority: see behindTheNodes. Where this process
// may make control groups, all threads together give way as well: see idleGroup. With priorities alone, a victim whom nobody attacked had twice its
// quiet p99.

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

// newIdleGroup makes the group below that of this process or beside it. It returns none where that is not possible: another system, no right to, a
// kernel before 5.15, or parents that do not let their groups share out CPU.
func newIdleGroup() idleGroup {
	for _, parent := range cpuGroups() {
		group, err := os.MkdirTemp(parent, "attackers-")
		if err != nil {
			continue
		}
		if os.WriteFile(filepath.Join(group, "cpu.idle"), []byte("1"), 0) == nil { // the kernel makes the file
			return idleGroup(group)
		}
		_ = os.Remove(group)
	}
	return ""
}

// cpuGroups are the directories in which groups may share out CPU: those of the groups of this process, of both versions of control groups, and with
// the second version their parents, because a group with processes may have no groups below it that share out anything.
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
				if second && below != "." {
					dirs = append(dirs, filepath.Join(mount.MountPoint, filepath.Dir(below)))
				}
			}
		}
	}
	return dirs
}

// add moves a process into the group, with its threads.
func (g idleGroup) add(pid int) error {
	if g == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(string(g), "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// String says how attackers give way.
func (g idleGroup) String() string {
	if g == "" {
		return "each thread of the attackers gives way, and no control group does: figures are worse"
	}
	return "the attackers give way as a control group"
}

// remove is called when no process is in the group any more.
func (g idleGroup) remove() {
	if g != "" {
		_ = os.Remove(string(g)) // an empty group costs nobody anything
	}
}
