package main

import (
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/creditd/creditd/scripts/launch"
)

// memoryWatch samples the resident memory of every node. Where the system has no /proc it sees nothing.
type memoryWatch struct {
	end  chan struct{}
	done sync.WaitGroup
	peak int64 // bytes of the node that took most; used by the watch until it ends
}

const memoryInterval = 50 * time.Millisecond

func watchMemory(cluster *launch.Cluster) *memoryWatch {
	w := &memoryWatch{end: make(chan struct{})}
	w.done.Go(func() {
		ticker := time.NewTicker(memoryInterval)
		defer ticker.Stop()
		for {
			for i := range cluster.Size() {
				w.peak = max(w.peak, resident(cluster.Process(i).PID()))
			}
			select {
			case <-ticker.C:
			case <-w.end:
				return
			}
		}
	})
	return w
}

// stop ends the watch and returns the most that a node took.
func (w *memoryWatch) stop() int64 {
	close(w.end)
	w.done.Wait()
	return w.peak
}

func resident(pid int) int64 {
	process, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	stat, err := process.Stat()
	if err != nil {
		return 0
	}
	return int64(stat.ResidentMemory())
}
