package membership

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/cluster/generation"
	"github.com/creditd/creditd/cluster/gossip"
)

// GossipConfig is what a Gossip needs.
type GossipConfig struct {
	NodeID        string
	Addr          string // "": this node keeps to itself
	AdvertiseAddr string
	Key           []byte
	OtherKeys     [][]byte               // decrypt only
	Kept          func() ([]byte, error) // what Keep was given last; nil: nothing
	Keep          func([]byte) error     // keeps the keys in the data directory
	Insecure      bool
	Join          []string
	Describe      func() gossip.Meta // what this node tells about itself
	Directory     *Directory
	Logger        *slog.Logger
	Stopping      <-chan struct{}
}

// Gossip keeps the directory's members current.
type Gossip struct {
	conf    GossipConfig
	gossip  atomic.Pointer[gossip.Gossip] // nil until Start, and on a node that keeps to itself
	changed chan struct{}                 // holds a token when the members have changed

	ringMu   sync.Mutex
	settings []string // guarded by ringMu: the ids of the keys of the settings
	kept     bool     // guarded by ringMu: the data directory has a ring
}

// NewGossip returns a gossip that says nothing yet.
func NewGossip(conf GossipConfig) *Gossip {
	return &Gossip{conf: conf, changed: make(chan struct{}, 1)}
}

// Start binds the address.
func (g *Gossip) Start() error {
	g.ringMu.Lock()
	defer g.ringMu.Unlock()
	keys, err := g.loadKeys()
	if err != nil {
		return err
	}
	conf := gossip.Config{
		NodeID: g.conf.NodeID, BindAddr: g.conf.Addr, AdvertiseAddr: g.conf.AdvertiseAddr, Label: "creditd",
		Insecure: g.conf.Insecure, Profile: profileFor(g.conf.Addr), Meta: g.conf.Describe(), Logger: g.conf.Logger,
	}
	if len(keys) > 0 {
		conf.SecretKey, conf.OtherKeys = keys[0], keys[1:]
	}
	started, err := gossip.New(conf)
	if err != nil {
		return fmt.Errorf("start gossip on %s: %w", g.conf.Addr, err)
	}
	g.gossip.Store(started)
	g.refresh()
	return nil
}

// profileFor picks gossip's timings: a cluster on one machine can afford fast ones.
func profileFor(addr string) gossip.Profile {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return gossip.LAN
	}
	if ip, err := netip.ParseAddr(host); host == "localhost" || err == nil && ip.IsLoopback() {
		return gossip.Loopback
	}
	return gossip.LAN
}

// Join looks for the other nodes. It fails when they belong to another cluster than this node's data directory.
func (g *Gossip) Join(clusterID string) error {
	if len(g.conf.Join) > 0 {
		if _, err := g.gossip.Load().Join(g.conf.Join); err != nil {
			g.conf.Logger.Warn("no other node answers yet; trying again in the background", "join", g.conf.Join, "err", err)
		}
		g.refresh()
	}
	return refuseForeign(clusterID, g.conf.Directory.Members())
}

// refuseForeign stops a node that was pointed at another cluster than the one its data directory belongs to.
func refuseForeign(own string, members []gossip.Member) error {
	if own == "" {
		return nil
	}
	var foreign *gossip.Member
	for _, m := range members {
		switch {
		case m.Self:
		case m.ClusterID == own:
			return nil
		case m.Foreign && generation.Parse(own).Succeeds(generation.Parse(m.ClusterID)):
			// It was left behind when this cluster was recovered.
		case m.Foreign:
			foreign = &m
		}
	}
	if foreign == nil {
		return nil
	}
	return fmt.Errorf("the data directory belongs to cluster %s, but the node at %s belongs to cluster %s: "+
		"join the right cluster, or use another data directory", own, foreign.GossipAddr, foreign.ClusterID)
}

// Watch keeps the members current until the node stops.
func (g *Gossip) Watch() {
	events := g.gossip.Load().Events()
	for {
		select {
		case <-events:
			g.refresh()
			select {
			case g.changed <- struct{}{}:
			default:
			}
		case <-g.conf.Stopping:
			return
		}
	}
}

// Forget drops a member that is not alive and will not come back.
func (g *Gossip) Forget(nodeID string) {
	if started := g.gossip.Load(); started != nil {
		started.Forget(nodeID)
	}
}

func (g *Gossip) refresh() {
	members := g.gossip.Load().Members()
	g.conf.Directory.members.Store(&members)
}

// Changed delivers a token after the members have changed. One goroutine at a time may wait for it.
func (g *Gossip) Changed() <-chan struct{} { return g.changed }

// Update tells the others what changed about this node.
func (g *Gossip) Update() {
	started := g.gossip.Load()
	if started == nil {
		return
	}
	if err := started.Update(g.conf.Describe()); err != nil && !errors.Is(err, gossip.ErrClosed) {
		g.conf.Logger.Warn("gossip does not take this node's new description", "err", err)
	}
}

// Refused returns how many packets and streams were refused.
func (g *Gossip) Refused() uint64 {
	if started := g.gossip.Load(); started != nil {
		return started.Refused()
	}
	return 0
}

// Addr returns the address at which others reach this node's gossip, "" if there is none.
func (g *Gossip) Addr() string {
	if started := g.gossip.Load(); started != nil {
		return started.Addr()
	}
	return ""
}

// leaveTimeout bounds how long a leaving node waits for its goodbye to spread.
const leaveTimeout = time.Second

// Close tells the others that this node leaves, and ends.
func (g *Gossip) Close() error {
	started := g.gossip.Load()
	if started == nil {
		return nil
	}
	if err := started.Leave(leaveTimeout); err != nil {
		g.conf.Logger.Warn("leaving gossip failed", "err", err)
	}
	return started.Close()
}
