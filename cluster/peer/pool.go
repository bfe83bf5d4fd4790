package peer

import (
	"sync"
	"time"
)

// maxClients is from how many clients on a Pool forgets those without a connection. Addresses come from gossip, so there may be many.
const maxClients = 128

// Pool holds one Client for each address.
type Pool struct {
	conf ClientConfig

	mu      sync.Mutex
	closed  bool
	clients map[string]*pooled
}

// pooled is a client with the time when it was last handed out.
type pooled struct {
	*Client
	at time.Time
}

// handedOut is how long a client without a connection is kept after Get: whoever got it may not have called yet.
const handedOut = time.Minute

// NewPool returns an empty pool. It panics when conf is not valid.
func NewPool(conf ClientConfig) *Pool {
	if err := conf.Validate(); err != nil {
		panic(err)
	}
	return &Pool{conf: conf, clients: make(map[string]*pooled)}
}

// Get returns the client for addr. Its idle connection is closed by the
// client itself, so keeping the client is cheap; Remove forgets it, and Get if
// there are too many.
// After Close every call of the returned client fails with ErrClosed.
func (p *Pool) Get(addr string) *Client {
	c, forgotten := p.get(addr)
	for _, f := range forgotten {
		_ = f.Close()
	}
	return c
}

func (p *Pool) get(addr string) (c *Client, forgotten []*Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if known := p.clients[addr]; known != nil {
		known.at = now
		return known.Client, nil
	}
	if len(p.clients) >= maxClients {
		for a, known := range p.clients {
			if now.Sub(known.at) > handedOut && known.idle() {
				delete(p.clients, a)
				forgotten = append(forgotten, known.Client)
			}
		}
	}
	c = NewClient(addr, p.conf)
	if p.closed {
		_ = c.Close()
		return c, nil
	}
	p.clients[addr] = &pooled{c, now}
	return c, forgotten
}

// Remove closes the client for addr, if there is one.
func (p *Pool) Remove(addr string) {
	p.closeWhere(func(a string) bool { return a == addr })
}

// Close closes all clients. It may be called twice.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.closeWhere(func(string) bool { return true })
	return nil
}

func (p *Pool) closeWhere(match func(addr string) bool) {
	p.mu.Lock()
	var out []*Client
	for addr, c := range p.clients {
		if match(addr) {
			delete(p.clients, addr)
			out = append(out, c.Client)
		}
	}
	p.mu.Unlock()
	// Closing waits for goroutines, so not under the lock, and all at once.
	var wg sync.WaitGroup
	for _, c := range out {
		wg.Go(func() { _ = c.Close() })
	}
	wg.Wait()
}
