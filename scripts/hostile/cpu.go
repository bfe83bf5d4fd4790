package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/creditd/creditd/scripts/launch"
)

// cpuTimes is the CPU time that each node has used up to a moment. Unlike the victim's answer times, it does not depend on who else uses the
// machine.
type cpuTimes struct {
	at   time.Time
	used []float64 // seconds, by node; empty where the system has no /proc
}

func cpuOf(cluster *launch.Cluster) cpuTimes {
	c := cpuTimes{at: time.Now()}
	for i := range cluster.Size() {
		process, err := procfs.NewProc(cluster.Process(i).PID())
		if err != nil {
			return cpuTimes{}
		}
		stat, err := process.Stat()
		if err != nil {
			return cpuTimes{}
		}
		c.used = append(c.used, stat.CPUTime())
	}
	return c
}

// since says how many cores the nodes used on average since an earlier moment, and each of them. It says nothing if it does not know.
func (c cpuTimes) since(earlier cpuTimes) string {
	took := c.at.Sub(earlier.at).Seconds()
	if len(c.used) == 0 || len(c.used) != len(earlier.used) || took <= 0 {
		return ""
	}
	var sum float64
	var each []string
	for i := range c.used {
		cores := (c.used[i] - earlier.used[i]) / took
		sum += cores
		each = append(each, fmt.Sprintf("%.2f", cores))
	}
	return fmt.Sprintf("nodes %.2f cores (%s)", sum, strings.Join(each, " "))
}
