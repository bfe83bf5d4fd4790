package links

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Proxy stands in front of the ports of nodes that run in other processes.
type Proxy struct {
	net     *Net
	targets []string
	who     func(net.Conn) (name string, known bool)
	ports   []net.Listener
	ctx     context.Context
	stop    context.CancelFunc
	group   sync.WaitGroup
}

// NewProxy listens in front of each target. The targets are the nodes' names in
// the network. who names the node that made a connection; it need not be a
// target.
func NewProxy(n *Net, targets []string, who func(net.Conn) (name string, known bool)) (*Proxy, error) {
	p := &Proxy{net: n, targets: targets, who: who}
	p.ctx, p.stop = context.WithCancel(context.Background())
	for range targets {
		port, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			p.Close()
			return nil, err
		}
		p.ports = append(p.ports, port)
	}
	for i := range p.ports {
		p.group.Go(func() { p.accept(i) })
	}
	return p, nil
}

// Addr is what node i has to advertise.
func (p *Proxy) Addr(i int) string { return p.ports[i].Addr().String() }

// Close ends every connection and waits for it.
func (p *Proxy) Close() {
	p.stop()
	for _, port := range p.ports {
		_ = port.Close() // nothing is lost with it
	}
	p.group.Wait()
}

func (p *Proxy) accept(to int) {
	for {
		near, err := p.ports[to].Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.group.Go(func() { p.carry(near, to) })
		}
	}
}

// carry passes on one connection in both directions until either end closes it. Without the other end the caller sees it close.
func (p *Proxy) carry(near net.Conn, to int) {
	from, known := p.who(near)
	if !known { // its process has ended
		_ = near.Close()
		return
	}
	there := way{from, p.targets[to]}
	near = p.net.Wrap(near, there.to, there.from)
	far, err := p.net.Dial(p.ctx, there.from, there.to, func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", there.to)
	})
	if err != nil {
		_ = near.Close()
		return
	}
	defer context.AfterFunc(p.ctx, func() { _, _ = near.Close(), far.Close() })()
	var both sync.WaitGroup
	both.Go(func() { p.pump(far, near, there) })
	both.Go(func() { p.pump(near, far, there.back()) })
	both.Wait()
}

// pump copies one direction. Its end is like any byte: it comes after those before it, and not through a block.
func (p *Proxy) pump(to, from net.Conn, w way) {
	_, _ = io.Copy(to, from) // either way the connection is over
	_ = p.net.pass(p.ctx.Done(), time.Time{}, w)
	_ = to.Close()
}
