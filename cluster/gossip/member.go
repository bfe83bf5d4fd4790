package gossip

import "time"

// Health is gossip's opinion of a member.
type Health uint8

const (
	// Alive answers probes, or was suspected too recently to be called failed.
	Alive Health = iota
	// Failed stopped to answer without a word.
	Failed
	// Left said that it was leaving.
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

// Member is a node as gossip sees it. Members that failed or left stay known.
type Member struct {
	// ID is the node id: raft's server id.
	ID string
	Meta
	GossipAddr string
	Health     Health
	// Since is when the member got its present health, on this node's clock.
	Since time.Time
	// Self marks this node.
	Self bool
	// Foreign says that the member belongs to another cluster: both cluster
	// ids are known and differ. It must never be added.
	Foreign bool
	// Unreadable says that the member's metadata did not decode. All fields
	// that come from it are empty.
	Unreadable bool
}

// Eligible reports whether the member may be considered for the cluster.
func (m Member) Eligible() bool {
	return m.Health == Alive && !m.Foreign && !m.Unreadable && m.PeerAddr != ""
}
