package gossip

import "github.com/hashicorp/memberlist"

// delegate is memberlist's way into the book. Its methods run under
// memberlist's locks and on its receive path.
type delegate struct{ book *book }

var (
	_ memberlist.Delegate         = (*delegate)(nil)
	_ memberlist.EventDelegate    = (*delegate)(nil)
	_ memberlist.ConflictDelegate = (*delegate)(nil)
	_ memberlist.AliveDelegate    = (*delegate)(nil)
)

// NodeMeta returns this node's metadata; it was checked against the limit.
func (d *delegate) NodeMeta(int) []byte { return d.book.ownBytes() }

// NotifyMsg takes goodbyes and ignores everything else.
func (d *delegate) NotifyMsg(b []byte) {
	if id, ok := decodeLeave(b); ok && id != d.book.self {
		d.book.noteLeaving(id)
	}
}

// GetBroadcasts has nothing to spread.
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState has nothing to exchange.
func (d *delegate) LocalState(bool) []byte { return nil }

// MergeRemoteState has nothing to merge.
func (d *delegate) MergeRemoteState([]byte, bool) {}

// NotifyJoin notes a member that joined or came back.
func (d *delegate) NotifyJoin(n *memberlist.Node) { d.book.alive(n.Name, n.Address(), n.Meta) }

// NotifyUpdate notes changed metadata.
func (d *delegate) NotifyUpdate(n *memberlist.Node) { d.book.alive(n.Name, n.Address(), n.Meta) }

// NotifyLeave notes a member that failed or left.
func (d *delegate) NotifyLeave(n *memberlist.Node) { d.book.gone(n.Name) }

// NotifyAlive accepts every member. That memberlist can ask makes it refuse members without versions of the protocol, whose presence
// would keep all newcomers out.
func (d *delegate) NotifyAlive(*memberlist.Node) error { return nil }

// NotifyConflict notes two nodes with one id.
func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	d.book.conflict(existing.Name, existing.Address(), other.Address())
}
