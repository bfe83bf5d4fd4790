package cluster

import (
	"errors"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
)

// addressBook tells raft's transport where a server is now. Gossip knows better than an old configuration; what gossip does not
// know is reached at its configured address.
type addressBook struct{ n *Node }

// ServerAddr implements raft.ServerAddressProvider. raft falls back to its configuration on an error.
func (b addressBook) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	select {
	case <-b.n.raftReady:
	default:
		return "", errors.New("raft is starting")
	}
	var configured raft.ServerAddress
	for _, s := range b.n.servers() {
		if s.ID == id {
			configured = s.Address
		}
	}
	return raft.ServerAddress(b.n.addressOf(id, configured)), nil
}

// nowhere is an address at which nothing can listen.
const nowhere = "127.0.0.1:0"

// addressOf returns where a server is, given the address that raft's configuration has for it. An address that another node
// uses by now leads nowhere, so that nobody is taken for a node that lost its data.
func (n *Node) addressOf(id raft.ServerID, configured raft.ServerAddress) string {
	taken := configured == ""
	for _, m := range n.known() {
		if m.ID == string(id) && m.PeerAddr != "" {
			return m.PeerAddr
		}
		taken = taken || m.Health == gossip.Alive && m.PeerAddr == string(configured)
	}
	if taken {
		return nowhere
	}
	return string(configured)
}
