package gossip

import (
	"time"

	"github.com/hashicorp/memberlist"
)

// delegate writes memberlist's callbacks into the table. Its methods run under memberlist's locks and on its receive path.
type delegate struct {
	table     *memberTable
	newcomers newcomers
}

var (
	_ memberlist.Delegate         = (*delegate)(nil)
	_ memberlist.EventDelegate    = (*delegate)(nil)
	_ memberlist.ConflictDelegate = (*delegate)(nil)
	_ memberlist.AliveDelegate    = (*delegate)(nil)
)

// NodeMeta returns this node's metadata, whose size was checked.
func (d *delegate) NodeMeta(int) []byte { return d.table.ownBytes() }

// NotifyMsg reads leave messages and ignores everything else.
func (d *delegate) NotifyMsg(b []byte) {
	if id, ok := decodeLeave(b); ok && id != d.table.self {
		d.table.noteLeaving(id)
	}
}

// GetBroadcasts returns nothing.
func (d *delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState returns nothing.
func (d *delegate) LocalState(bool) []byte { return nil }

// MergeRemoteState does nothing.
func (d *delegate) MergeRemoteState([]byte, bool) {}

// NotifyJoin notes a member that joined or came back.
func (d *delegate) NotifyJoin(n *memberlist.Node) { d.table.alive(n.Name, n.Address(), n.Meta) }

// NotifyUpdate notes changed metadata.
func (d *delegate) NotifyUpdate(n *memberlist.Node) { d.table.alive(n.Name, n.Address(), n.Meta) }

// NotifyLeave notes a member that failed or left.
func (d *delegate) NotifyLeave(n *memberlist.Node) { d.table.gone(n.Name) }

// NotifyAlive refuses members that are more than a cluster has. With this method memberlist ignores members without protocol versions, which
// would keep all new nodes out.
func (d *delegate) NotifyAlive(n *memberlist.Node) error {
	known, alive := d.table.knows(n.Name)
	switch {
	case known:
		return nil
	case alive >= maxAlive:
		return errTooMany
	}
	return d.newcomers.take(time.Now())
}

// NotifyConflict notes two nodes with one id.
func (d *delegate) NotifyConflict(existing, other *memberlist.Node) {
	d.table.conflict(existing.Name, existing.Address(), other.Address())
}
