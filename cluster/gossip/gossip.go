package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/creditd/creditd/cluster/tally"
)

// ErrClosed is the error after Leave or Close.
var ErrClosed = errors.New("gossip: closed")

// Gossip is this node's membership in the gossip network.
type Gossip struct {
	conf   Config
	list   *memberlist.Memberlist
	table  *memberTable
	keys   *memberlist.Keyring // nil: gossip is not encrypted
	addr   string              // advertised
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	// life serializes Update, Leave and Close: memberlist does not expect them at the same time.
	life   sync.Mutex
	left   bool
	closed bool

	seedMu sync.Mutex
	seeds  []string

	refused tally.Tally // packets and streams
	lines   lineLimit
}

// New binds the gossip port and answers other members. It knows no member until Join.
func New(conf Config) (*Gossip, error) {
	if err := conf.Validate(); err != nil {
		return nil, err
	}
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.DiscardHandler)
	}
	bind, err := resolve("BindAddr", conf.BindAddr)
	if err != nil {
		return nil, err
	}
	g := &Gossip{conf: conf}
	mc, err := conf.memberlist((&logWriter{log: conf.Logger, limit: &g.lines, refused: func() { g.refused.Note(time.Now()) }}).logger())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	t, err := newTransport(ctx, bind, mc, g.refuse)
	if err != nil {
		cancel()
		return nil, err
	}
	mc.Transport, g.keys = t, mc.Keyring
	mc.BindAddr, mc.BindPort = bind.IP.String(), t.port()
	if mc.AdvertisePort == 0 || conf.AdvertiseAddr == "" {
		mc.AdvertisePort = mc.BindPort
	}
	b := newTable(conf.NodeID, conf.Meta, conf.Logger)
	d := &delegate{table: b}
	mc.Delegate, mc.Events, mc.Conflict, mc.Alive = d, d, d, d

	list, err := memberlist.Create(mc)
	if err != nil {
		cancel()
		_ = t.Shutdown()
		return nil, fmt.Errorf("gossip: start: %w", err)
	}
	g.list, g.table, g.addr, g.ctx, g.cancel = list, b, b.ownAddr(), ctx, cancel
	g.wg.Go(g.watch)
	return g, nil
}

// refuse counts a packet or a stream that is not from a member, and logs some.
func (g *Gossip) refuse(from net.Addr, err error) {
	g.refused.Note(time.Now())
	g.lines.write(g.conf.Logger, slog.LevelWarn, "refused", "gossip refused a message", "from", from.String(), "err", err)
}

// Refused returns how many packets and streams were refused.
func (g *Gossip) Refused() uint64 { return g.refused.Total() }

// Addr returns the address that other members use.
func (g *Gossip) Addr() string { return g.addr }

// Events returns a channel that has a token after each change of Members. It is never closed.
func (g *Gossip) Events() <-chan struct{} { return g.table.changed }

// Members returns all known members in the order of their ids: also this node, and those that failed or left.
func (g *Gossip) Members() []Member { return g.table.members() }

// Forget drops a member that is not alive from Members: it is known not to come back. It is listed again if it does.
func (g *Gossip) Forget(id string) { g.table.forget(id) }

// Join contacts the given gossip addresses, except this node's own, and returns how many answered. It returns an error if none did. The
// background loop tries the addresses again, because another node may start later.
func (g *Gossip) Join(addrs []string) (int, error) {
	if g.ctx.Err() != nil {
		return 0, ErrClosed
	}
	var seeds []string
	for _, addr := range addrs {
		if addr = strings.TrimSpace(addr); addr != "" && addr != g.addr && addr != g.conf.BindAddr {
			seeds = append(seeds, addr)
		}
	}
	g.seedMu.Lock()
	g.seeds = seeds
	g.seedMu.Unlock()
	n, err := g.contact(seeds)
	if err != nil {
		g.table.wake() // the loop takes over
	}
	return n, err
}

func (g *Gossip) contact(addrs []string) (int, error) {
	if len(addrs) == 0 {
		return 0, nil
	}
	named := make([]string, len(addrs))
	for i, addr := range addrs {
		named[i] = seed(addr)
	}
	n, err := g.list.Join(named)
	if err != nil {
		return n, fmt.Errorf("gossip: join: %w", err)
	}
	return n, nil
}

// updateTimeout bounds the wait for an update to be sent. A slower update still spreads.
const updateTimeout = time.Second

// Update changes the node's metadata.
func (g *Gossip) Update(meta Meta) error {
	if err := meta.Validate(); err != nil {
		return err
	}
	g.life.Lock()
	defer g.life.Unlock()
	if g.left || g.closed {
		return ErrClosed
	}
	g.table.setOwn(meta)
	_ = g.list.UpdateNode(updateTimeout) // its only error is the timeout
	return nil
}

// Leave tells the members that this node leaves, so that they see it as left and not as failed. Close must follow. Callers may call it
// twice.
func (g *Gossip) Leave(timeout time.Duration) error {
	g.life.Lock()
	defer g.life.Unlock()
	if g.left || g.closed {
		return nil
	}
	g.left = true
	end := time.Now().Add(timeout)
	g.table.noteLeaving(g.conf.NodeID)
	g.sendLeave(timeout / 2)
	if err := g.list.Leave(max(time.Millisecond, time.Until(end))); err != nil {
		return fmt.Errorf("gossip: leave: %w", err)
	}
	return nil
}

// sendLeave sends each member a leave message over a connection. memberlist's broadcast may reach a member as "dead", without the reason.
func (g *Gossip) sendLeave(timeout time.Duration) {
	message := encodeLeave(g.conf.NodeID)
	var told sync.WaitGroup
	for _, m := range g.Members() {
		if m.Self || m.Health != Alive {
			continue
		}
		addr, err := netip.ParseAddrPort(m.GossipAddr)
		if err != nil {
			continue
		}
		to := memberlist.Node{Name: m.ID, Addr: addr.Addr().AsSlice(), Port: addr.Port()}
		told.Add(1)
		g.wg.Go(func() {
			defer told.Done()
			if err := g.list.SendReliable(&to, message); err != nil {
				g.conf.Logger.Info("member could not be told that this node leaves", "member", to.Name, "error", err)
			}
		})
	}
	done := make(chan struct{})
	g.wg.Go(func() { told.Wait(); close(done) })
	select {
	case <-done:
	case <-time.After(timeout):
	}
}

// Close stops gossip and waits for this package's goroutines. Without Leave the other members see this node as failed. Callers may call it
// twice.
func (g *Gossip) Close() error {
	g.cancel() // ends all waiting for the network, also in Leave
	g.life.Lock()
	defer g.life.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	err := g.list.Shutdown()
	g.wg.Wait()
	return err
}
