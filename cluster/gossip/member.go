package gossip

import "time"

// Health is gossip's opinion of a member.
type Health uint8

const (
	// Alive members answer probes, or have not failed to for long.
	Alive Health = iota
	// Failed members stopped answering without a leave message.
	Failed
	// Left members sent a leave message.
	Left
)

// String returns the health as shown to operators.
func (h Health) String() string {
	switch h {
	case Alive:
		return "alive"
	case Failed:
		return "failed"
	case Left:
		return "left"
	}
	return "unknown"
}

// Member is a node as gossip sees it. Members that failed or left stay in the list.
type Member struct {
	// ID is the node id: raft's server id.
	ID string
	Meta
	GossipAddr string
	Health     Health
	// Since is when the health changed last, on this node's clock.
	Since time.Time
	// Self is true for this node.
	Self bool
	// Foreign means that the member belongs to another cluster: both cluster ids are known and differ. It must never be added.
	Foreign bool
	// Unreadable means that the member's metadata did not decode. All fields of Meta are empty then.
	Unreadable bool
}

// Eligible reports whether the member may become a member of the cluster.
func (m Member) Eligible() bool {
	return m.Health == Alive && !m.Foreign && !m.Unreadable && m.PeerAddr != ""
}
