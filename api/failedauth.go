package api

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/creditd/creditd/fsm"
)

const (
	// failureWindow is how long failed authentications of an address are counted.
	failureWindow = 10 * time.Second
	// maxFailingAddresses bounds the memory of a window. All further addresses share a count.
	maxFailingAddresses = 4096
	// DefaultFailedAuthentications is how many may fail in a window.
	DefaultFailedAuthentications = 100
)

// failures counts the requests of each address that were answered with 401, and those that were refused for their body and had an unknown root
// key. To refuse a root key costs the cluster a question, and to explain what is wrong with 64 KiB costs milliseconds; to refuse the address
// costs nothing. A root key that this node's ledger has is never refused for its address, because a proxy has one address for all.
type failures struct {
	most    int // in a window; 0: any number
	knows   func(fsm.Hash) bool
	refused prometheus.Counter // requests
	failed  prometheus.Counter
	logger  *slog.Logger

	full atomic.Bool // an address has used up the present window, which may be over

	mu     sync.Mutex
	ends   time.Time          // guarded by mu: of the window
	lasts  bool               // guarded by mu: an address used up the window right before, too
	counts map[netip.Addr]int // guarded by mu
}

func newFailures(config Config) (*failures, []prometheus.Collector) {
	f := &failures{
		most: config.FailedAuthentications, knows: config.Knows, logger: config.Logger,
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "creditd_api_authentication_refusals_total",
			Help: "Requests with an unknown root key that were refused with 429, because too many of their address had failed.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "creditd_api_failed_authentications_total",
			Help: "Requests that were refused with 401, because the root key is unknown or has ended, or with 400 before anybody asked for it.",
		}),
	}
	return f, []prometheus.Collector{f.refused, f.failed}
}

// failingAddress is what failures are counted by: an address, or the /64 of an IPv6 address, all of which one host may have.
func failingAddress(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	host := at.Addr().Unmap().WithZone("")
	if host.Is6() {
		if network, err := host.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return host
}

// slot is the address, or the one that stands for all without room. The caller holds mu.
func (f *failures) slot(host netip.Addr) netip.Addr {
	if _, has := f.counts[host]; has || len(f.counts) < maxFailingAddresses {
		return host
	}
	return netip.Addr{}
}

// note counts a failure. The address that is the first to use up its window is logged, and not again while windows are used up.
func (f *failures) note(remote string, now time.Time) {
	f.failed.Inc()
	if f.most == 0 || !f.count(failingAddress(remote), now) {
		return
	}
	f.logger.Warn("too many requests of an address have an unknown root key: it gets 429 for them", "from", remote, "within", failureWindow, "most", f.most)
}

// count counts a failure of an address, and reports whether that is news.
func (f *failures) count(host netip.Addr, now time.Time) (news bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !now.Before(f.ends) {
		f.lasts = f.full.Load() && now.Before(f.ends.Add(failureWindow))
		f.ends, f.counts = now.Add(failureWindow), map[netip.Addr]int{}
		f.full.Store(false)
	}
	host = f.slot(host)
	if f.counts[host]++; f.counts[host] < f.most {
		return false
	}
	return !f.full.Swap(true) && !f.lasts
}

// wait is how long an address has to wait; 0: it need not.
func (f *failures) wait(remote string, now time.Time) time.Duration {
	host := failingAddress(remote)
	f.mu.Lock()
	defer f.mu.Unlock()
	left := f.ends.Sub(now)
	if left <= 0 || f.counts[f.slot(host)] < f.most {
		return 0
	}
	return left
}

// mayAuthenticate refuses a root key that this node does not know, if too many requests of its address have failed.
func (c *call) mayAuthenticate() error {
	f := c.api.failures
	if !f.full.Load() {
		return nil
	}
	left := f.wait(c.gin.Request.RemoteAddr, time.Now())
	if left == 0 || !c.strange() {
		return nil
	}
	f.refused.Inc()
	return &problem{errorType: &tooManyRequests, retryAfter: int64((left + time.Second - 1) / time.Second), detail: fmt.Sprintf(
		"More than %d requests of this address had an unknown root key within %d s. Root keys that are valid are served on", f.most, int(failureWindow.Seconds()))}
}

// strange reports whether this node does not know the root key of the request.
func (c *call) strange() bool {
	token, ok := bearerToken(c.gin.Request.Header)
	if !ok {
		return true
	}
	c.hashActor(token)
	return c.actor != c.api.operatorKey && !c.api.failures.knows(c.actor)
}

// noteStranger counts a request that was refused for its body, if its root key is unknown.
func (c *call) noteStranger() {
	if f := c.api.failures; f.most > 0 && c.strange() {
		f.note(c.gin.Request.RemoteAddr, time.Now())
	}
}
