package fitness

import (
	"slices"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
)

// AnyDiskFull reports whether this node's disk is full, or that of a voter that answered the last check.
func (m *Monitor) AnyDiskFull() bool { return m.peerDiskFull.Load() || m.conf.DiskFull() != nil }

// RefuseChange returns why the leader refuses changes: its own disk is full, or those of so many voters that no majority is left
// without them. It returns nil when enough other disks have space.
func (m *Monitor) RefuseChange() error {
	own := m.conf.DiskFull() != nil
	full, voters := m.fullVoters(), m.otherVoters()+1
	switch enough := voters-len(full) > voters/2; {
	case enough && own && m.fitterLeader() != "":
		return fault.New(fault.Unavailable, "The leader's disk is nearly full. It is transferring leadership")
	case own || !enough:
		return fault.New(fault.DiskFull, "The disk of "+strings.Join(full, ", ")+
			" is full: changes are refused until space is free. Reads continue")
	}
	return nil
}

// fullVoters returns the voters whose disks are full, sorted.
func (m *Monitor) fullVoters() (full []string) {
	if m.conf.DiskFull() != nil {
		full = append(full, m.conf.NodeID)
	}
	servers := m.conf.Cluster.Servers()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range servers {
		if s.Suffrage == raft.Voter && m.peers[string(s.ID)].impairments&impairedDiskFull != 0 {
			full = append(full, string(s.ID))
		}
	}
	slices.Sort(full)
	return full
}
