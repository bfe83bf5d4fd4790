package main

import (
	"sync"
	"time"

	"github.com/prometheus/procfs"

	"github.com/creditd/creditd/scripts/launch"
)

// memory is what a process holds: its own pages, and with those of the files that it has mapped. Where the system has no /proc both are 0.
type memory struct{ own, resident int64 }

// or is the larger of each.
func (m memory) or(other memory) memory {
	return memory{max(m.own, other.own), max(m.resident, other.resident)}
}

func memoryOf(process *launch.Process) memory {
	p, err := procfs.NewProc(process.PID())
	if err != nil {
		return memory{}
	}
	status, err := p.NewStatus()
	if err != nil {
		return memory{}
	}
	return memory{int64(status.RssAnon), int64(status.VmRSS)}
}

// watch samples the memory of a process until the returned function is called, which returns the most.
func watch(process *launch.Process) (stop func() memory) {
	var most memory
	var sampler sync.WaitGroup
	end := make(chan struct{})
	sampler.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			most = most.or(memoryOf(process))
			select {
			case <-ticker.C:
			case <-end:
				return
			}
		}
	})
	return func() memory {
		close(end)
		sampler.Wait()
		return most
	}
}
