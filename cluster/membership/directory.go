package membership

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/rpc"
)

// Directory knows the servers of raft's configuration, the members that gossip sees, and where each of them is.
type Directory struct {
	nodeID  string
	ready   chan struct{} // closed once raft is set
	raft    configured
	members atomic.Pointer[[]gossip.Member] // nil on a node without gossip
	known   atomic.Pointer[knownServers]    // nil before the first call of Has
}

// knownServers are the servers of raft's configuration at a moment.
type knownServers struct {
	at  time.Time
	ids map[string]bool
}

// knownFor is how long Has answers from memory.
const knownFor = 100 * time.Millisecond

type configured interface {
	GetConfiguration() raft.ConfigurationFuture
}

// NewDirectory returns a directory that is empty until Attach: raft needs its addresses before raft exists.
func NewDirectory(nodeID string) *Directory {
	return &Directory{nodeID: nodeID, ready: make(chan struct{})}
}

// Attach gives the directory its raft, once.
func (d *Directory) Attach(r configured) {
	d.raft = r
	close(d.ready)
}

// Servers returns raft's present configuration, none while raft is starting or stopping.
func (d *Directory) Servers() []raft.Server { return slices.Clone(d.configuration()) }

// configuration is Servers as raft itself has them: who changes them changes the quorum.
func (d *Directory) configuration() []raft.Server {
	select {
	case <-d.ready:
	default:
		return nil
	}
	f := d.raft.GetConfiguration()
	if f.Error() != nil {
		return nil
	}
	return f.Configuration().Servers
}

// Server finds a node in raft's configuration. raft asks with each message that it sends.
func (d *Directory) Server(nodeID string) *raft.Server {
	servers := d.configuration()
	for i := range servers {
		if string(servers[i].ID) == nodeID {
			found := servers[i]
			return &found
		}
	}
	return nil
}

// Has reports whether raft's configuration has a node, or had it a moment ago. It is asked for every call of another node.
func (d *Directory) Has(nodeID string) bool {
	if k := d.known.Load(); k != nil && k.ids[nodeID] && time.Since(k.at) < knownFor {
		return true
	}
	k := &knownServers{at: time.Now(), ids: make(map[string]bool)}
	for _, s := range d.Servers() {
		k.ids[string(s.ID)] = true
	}
	d.known.Store(k)
	return k.ids[nodeID]
}

// Voter finds a node that has a vote.
func (d *Directory) Voter(nodeID string) *raft.Server {
	if s := d.Server(nodeID); s != nil && s.Suffrage == raft.Voter {
		return s
	}
	return nil
}

// OtherVoters counts the voters besides this node.
func (d *Directory) OtherVoters() (count int) {
	for _, s := range d.Servers() {
		if s.Suffrage == raft.Voter && string(s.ID) != d.nodeID {
			count++
		}
	}
	return count
}

// Members returns what gossip last said, this node included; nothing on a node without gossip.
func (d *Directory) Members() []gossip.Member {
	if m := d.members.Load(); m != nil {
		return *m
	}
	return nil
}

// ServerAddr implements raft.ServerAddressProvider. raft falls back to its configuration on an error.
func (d *Directory) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	select {
	case <-d.ready:
	default:
		return "", errors.New("raft is starting")
	}
	var configured raft.ServerAddress
	if s := d.Server(string(id)); s != nil {
		configured = s.Address
	}
	return raft.ServerAddress(d.AddressOf(id, configured)), nil
}

// AddressOf returns where a server is, given its address in raft's configuration: gossip knows better than an old configuration. An
// address that another node uses by now leads nowhere, so that nobody is taken for a node that lost its data.
func (d *Directory) AddressOf(id raft.ServerID, configured raft.ServerAddress) string {
	_, displaced := Place(configured)
	taken := configured == "" || displaced
	for _, m := range d.Members() {
		if m.ID == string(id) && m.PeerAddr != "" && (!displaced || m.Health == gossip.Alive) {
			return m.PeerAddr
		}
		taken = taken || m.Health == gossip.Alive && m.PeerAddr == string(configured)
	}
	if taken {
		return rpc.Nowhere
	}
	return string(configured)
}

// placeMark separates the parts of a displaced server's address. No address that can be dialled contains it.
const placeMark = "#"

// displacedAddr is the address that raft's configuration has for a server whose place another node took: raft accepts no address twice.
func displacedAddr(place string, id raft.ServerID) raft.ServerAddress {
	return raft.ServerAddress(place + placeMark + string(id))
}

// Place returns the address that a server has or had, and whether another node took it.
func Place(addr raft.ServerAddress) (place string, displaced bool) {
	place, _, displaced = strings.Cut(string(addr), placeMark)
	return place, displaced
}
