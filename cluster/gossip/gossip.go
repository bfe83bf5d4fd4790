package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// ErrClosed says that the node has left or was closed.
var ErrClosed = errors.New("gossip: closed")

// Gossip is this node's membership in the gossip network.
type Gossip struct {
	conf   Config
	list   *memberlist.Memberlist
	book   *book
	addr   string // advertised
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	// life serializes what memberlist does not expect at the same time:
	// Update, Leave and Close.
	life   sync.Mutex
	left   bool
	closed bool

	seedMu sync.Mutex
	seeds  []string
}

// New binds the gossip port and starts to answer members. It knows nobody
// until Join.
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
	mc, err := conf.memberlist()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	t, err := newTransport(ctx, bind, mc)
	if err != nil {
		cancel()
		return nil, err
	}
	mc.Transport = t
	mc.BindAddr, mc.BindPort = bind.IP.String(), t.GetAutoBindPort()
	if mc.AdvertisePort == 0 || conf.AdvertiseAddr == "" {
		mc.AdvertisePort = mc.BindPort
	}
	b := newBook(conf.NodeID, conf.Meta, conf.Logger)
	d := &delegate{book: b}
	mc.Delegate, mc.Events, mc.Conflict, mc.Alive = d, d, d, d

	list, err := memberlist.Create(mc)
	if err != nil {
		cancel()
		_ = t.Shutdown()
		return nil, fmt.Errorf("gossip: start: %w", err)
	}
	g := &Gossip{
		conf:   conf,
		list:   list,
		book:   b,
		addr:   b.ownAddr(),
		ctx:    ctx,
		cancel: cancel,
	}
	g.wg.Go(g.watch)
	return g, nil
}

// Addr returns the address that other members use.
func (g *Gossip) Addr() string { return g.addr }

// Events returns a channel that holds a token whenever Members may have
// changed since the last token was taken. It is never closed.
func (g *Gossip) Events() <-chan struct{} { return g.book.changed }

// Members returns all known members, this node and those that failed or left
// included, in the order of their ids.
func (g *Gossip) Members() []Member { return g.book.members() }

// Join contacts the given gossip addresses and returns how many answered. The
// node's own address among them is skipped. The addresses are kept and tried
// again in the background, so an error, that none answered, need not be
// fatal: another node may simply start later.
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
		g.book.wake() // the loop takes over
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

// updateTimeout bounds the wait for an update to be on its way. One that
// takes longer spreads all the same.
const updateTimeout = time.Second

// Update changes what the node says about itself.
func (g *Gossip) Update(meta Meta) error {
	if err := meta.Validate(); err != nil {
		return err
	}
	g.life.Lock()
	defer g.life.Unlock()
	if g.left || g.closed {
		return ErrClosed
	}
	g.book.setOwn(meta)
	_ = g.list.UpdateNode(updateTimeout) // its only error is the timeout
	return nil
}

// Leave tells the members that this node goes for good, so that they see it
// as left and not as failed. Close must follow. It may be called twice.
func (g *Gossip) Leave(timeout time.Duration) error {
	g.life.Lock()
	defer g.life.Unlock()
	if g.left || g.closed {
		return nil
	}
	g.left = true
	end := time.Now().Add(timeout)
	g.book.noteLeaving(g.conf.NodeID)
	g.sayGoodbye(timeout / 2)
	if err := g.list.Leave(max(time.Millisecond, time.Until(end))); err != nil {
		return fmt.Errorf("gossip: leave: %w", err)
	}
	return nil
}

// sayGoodbye tells each member over its own connection: a broadcast may reach
// a member only as "dead", without the reason.
func (g *Gossip) sayGoodbye(timeout time.Duration) {
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

// Close stops gossip without a word, unless Leave came first, and waits for
// this package's goroutines. It may be called twice.
func (g *Gossip) Close() error {
	g.cancel() // ends what waits for the network, also a Leave
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
