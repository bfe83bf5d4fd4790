package fitness

import (
	"context"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
)

// MayStamp reports whether this node's time may go into the log. A node that never heard another voter's time does not know.
func (m *Monitor) MayStamp() bool {
	s := m.guard.Status()
	return !s.Far && (s.Verified || m.otherVoters() == 0)
}

func (m *Monitor) otherVoters() (count int) {
	for _, s := range m.conf.Cluster.Servers() {
		if s.Suffrage == raft.Voter && string(s.ID) != m.conf.NodeID {
			count++
		}
	}
	return count
}

// ErrClock is why a node that was elected does not serve.
var ErrClock = fault.New(fault.Unavailable,
	"This node was elected, but its clock differs from its peers' clocks or has not been compared yet")

// AwaitClock waits until this node may stamp, and reports whether ctx goes on. Meanwhile it offers leadership to the others.
func (m *Monitor) AwaitClock(ctx context.Context) bool {
	for {
		checked := m.awaitCheck()
		if m.MayStamp() {
			return ctx.Err() == nil
		}
		if m.guard.Status().Verified {
			m.transferToFitter(ctx)
		} else {
			m.checkNow()
		}
		select {
		case <-checked:
		case <-ctx.Done():
			return false
		}
	}
}

// Watch ends a term by cancel once this node may not stamp, and transfers leadership when another node is fitter. It returns when ctx
// ends.
func (m *Monitor) Watch(ctx context.Context, cancel func()) {
	for {
		checked := m.awaitCheck()
		switch {
		case !m.MayStamp():
			cancel()
			return
		case m.impairments() != 0:
			m.transferToFitter(ctx)
		}
		select {
		case <-checked:
		case <-ctx.Done():
			return
		}
	}
}

// transferToFitter transfers leadership to a voter that is fitter than this node, if there is one. It is repeated with every check, so a
// failure is only logged.
func (m *Monitor) transferToFitter(ctx context.Context) {
	target := m.fitterLeader()
	if target == "" {
		return
	}
	m.conf.Steady.Warn("transferring leadership because of this node's clock or disk", "to", target)
	if err := m.conf.Transfer(ctx, target); err != nil && ctx.Err() == nil {
		m.conf.Steady.Warn("leadership was not transferred", "to", target, "err", err)
	}
}

// fitterLeader returns the voter that should lead rather than this node, or "".
func (m *Monitor) fitterLeader() (nodeID string) {
	own := m.impairments()
	m.mu.Lock()
	defer m.mu.Unlock()
	return fitter(own, m.peers)
}

// fitter returns the fittest peer, if it is fitter than one with the impairments given. Without a strict order two nodes would transfer
// leadership back and forth.
func fitter(own impairments, peers map[string]peerFitness) (nodeID string) {
	least := own.rank()
	for id, p := range peers {
		if rank := p.impairments.rank(); rank < least || rank == least && nodeID != "" && id < nodeID {
			nodeID, least = id, rank
		}
	}
	return nodeID
}

// rank orders the impairments, 0 is best. A wrong time is worst: stamps cannot be taken back. A full disk stops changes. A node that
// only its wall clock left stamps correctly.
func (i impairments) rank() int {
	switch {
	case i&impairedTime != 0:
		return 3
	case i&impairedDiskFull != 0:
		return 2
	case i&impairedWallClock != 0:
		return 1
	}
	return 0
}
