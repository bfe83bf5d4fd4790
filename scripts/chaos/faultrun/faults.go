package faultrun

import (
	"fmt"
	"slices"
	"strings"

	"github.com/creditd/creditd/scripts/launch"
)

// Fault is one way to hurt a cluster.
type Fault string

// The faults. A pause is SIGSTOP: the process keeps its connections and wakes up believing that no time has passed. Links are those
// between peer ports; a cut link keeps its connections and delivers nothing.
const (
	KillRandom    Fault = "kill"
	KillLeader    Fault = "kill-leader"
	KillAll       Fault = "kill-all"
	PauseRandom   Fault = "pause"
	PauseLeader   Fault = "pause-leader"
	IsolateLeader Fault = "isolate-leader" // the leader reaches nobody, nobody the leader
	CutLink       Fault = "cut-link"       // between two nodes; each of them still reaches the others
	OneWay        Fault = "one-way"        // a node hears the others, or is heard by them, not both
	Delay         Fault = "delay"          // of all links, up to a quarter of a second each way
	Transfer      Fault = "transfer"       // of leadership, on request
	Restart       Fault = "restart"        // of each node in turn, with SIGTERM
	FullDisk      Fault = "full-disk"      // of node 0
	SlowDisk      Fault = "slow-disk"      // each write of the leader's log takes up to half a second
	HungDisk      Fault = "hung-disk"      // a write of the log does not return
	CrashPoint    Fault = "crash-point"    // a node dies at a failpoint
	Clock         Fault = "clock"          // of one node jumps, by up to a year, or stops
	Replace       Fault = "replace"        // of the data of each node in turn, each as soon as the one before is ready
)

// Faults are all of them, in the weights of a run unless it has others.
func Faults() []Fault {
	return []Fault{
		KillRandom, KillLeader, KillAll, PauseRandom, PauseLeader, IsolateLeader, CutLink, OneWay, Delay, Transfer, Restart,
		FullDisk, SlowDisk, HungDisk, CrashPoint, Clock, Replace,
	}
}

// ParseFaults reads names of faults that commas separate. more are names besides Faults.
func ParseFaults(list string, more ...Fault) (faults []Fault, err error) {
	known := append(Faults(), more...)
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(known, Fault(name)) {
			return nil, fmt.Errorf("unknown fault %q; one of %s", name, Names(known))
		}
		faults = append(faults, Fault(name))
	}
	return faults, nil
}

// Names is what ParseFaults reads.
func Names(faults []Fault) string {
	var names []string
	for _, fault := range faults {
		names = append(names, string(fault))
	}
	return strings.Join(names, ",")
}

// Possible leaves out what cannot be injected into this cluster.
func Possible(faults []Fault, cluster *launch.Cluster) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(fault Fault) bool {
		switch fault {
		case IsolateLeader, CutLink, OneWay, Delay:
			return !cluster.HasLinks() || cluster.Size() < 2
		case FullDisk:
			return !cluster.HasDisk()
		case Replace:
			return cluster.Size() < 3
		}
		return false
	})
}
