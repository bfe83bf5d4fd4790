package fitness

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/clock"
	"github.com/creditd/creditd/cluster/rpc"
)

// Cluster is who else there is.
type Cluster interface {
	// Servers returns raft's configuration.
	Servers() []raft.Server
	// AddressOf returns where a server is now.
	AddressOf(id raft.ServerID, configured raft.ServerAddress) string
}

// Config is what a Monitor needs.
type Config struct {
	NodeID  string
	Now     func() time.Time     // the wall clock
	Elapsed func() time.Duration // a clock that cannot be set
	// MaxClockSkew is how far this node's time may be from its wall clock and from its peers' times.
	MaxClockSkew time.Duration
	Interval     time.Duration // between two checks
	DiskFull     func() error  // not nil while less than the disk reserve is free
	Cluster      Cluster
	Client       *rpc.Client
	// Transfer transfers leadership to a voter.
	Transfer func(ctx context.Context, nodeID string) error
	LogTime  func() int64 // log time of this node's ledger, Unix ms
	Leads    func() bool  // whether this node stamps entries
	Logger   *slog.Logger
	Steady   *slog.Logger // for what a loop says again while it lasts
}

// Monitor knows how fit this node and the other voters are.
type Monitor struct {
	conf  Config
	guard *clock.Guard
	kick  chan struct{} // asks for a check now

	standstill bool // log time stood still at the last check; Run's goroutine only

	peerDiskFull atomic.Bool // a voter that answered the last check has a full disk

	mu      sync.Mutex
	changed chan struct{}          // guarded by mu: closed and replaced by every check
	peers   map[string]peerFitness // guarded by mu: the voters that answered the last check, by id
}

// New takes the wall clock as it is now.
func New(conf Config) *Monitor {
	return &Monitor{
		conf: conf, guard: clock.New(conf.Now, conf.Elapsed, conf.MaxClockSkew), kick: make(chan struct{}, 1), changed: make(chan struct{}),
	}
}

// Stamp returns this node's time for a log entry, never less than before.
func (m *Monitor) Stamp() int64 { return m.guard.Stamp() }

// Clock returns what is known about this node's time.
func (m *Monitor) Clock() clock.Status { return m.guard.Status() }

// Run checks until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	ticker := time.NewTicker(m.conf.Interval)
	defer ticker.Stop()
	for {
		m.check(ctx)
		select {
		case <-ticker.C:
		case <-m.kick:
		case <-ctx.Done():
			return
		}
	}
}

func (m *Monitor) checkNow() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// awaitCheck returns a channel that is closed by the next check.
func (m *Monitor) awaitCheck() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// check compares this node's time with its wall clock and with the other voters' times, and logs what changed.
func (m *Monitor) check(ctx context.Context) {
	before := m.guard.Status()
	peers := m.askPeers(ctx)
	offsets := make([]int64, 0, len(peers))
	diskFull := false
	for _, p := range peers {
		offsets = append(offsets, p.offset)
		diskFull = diskFull || p.impairments&impairedDiskFull != 0
	}
	m.peerDiskFull.Store(diskFull)
	now := m.guard.Check(offsets)
	m.mu.Lock()
	m.peers = peers
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
	log := m.conf.Logger
	switch {
	case now.WallOff && !before.WallOff:
		log.Error("the wall clock jumped or stands still: this node ignores it until it is right again, or until peers or a restart confirm it",
			"off_by", now.Drift, "tolerance", m.conf.MaxClockSkew)
	case now.Far && !before.Far:
		log.Error("this node's time differs from its peers' times: it does not lead until its clock is right",
			"peers_ahead_by", now.Offset, "tolerance", m.conf.MaxClockSkew)
	case now.Fit() && !before.Fit():
		log.Info("this node's time is right again", "drift", now.Drift, "peers_ahead_by", now.Offset)
	}
	m.reportStandstill()
}

// LogTimeAhead returns how far log time is ahead of this node's time, at least 0. While it is ahead of the leader's time, it stands still,
// because stamps lie behind it.
func (m *Monitor) LogTimeAhead() time.Duration {
	return max(0, time.Duration(m.conf.LogTime()-m.guard.Now())*time.Millisecond)
}

// reportStandstill logs once that log time stands still, and once that it goes on. Two leaders whose clocks differ by less than the
// tolerance let it stand still for that long; this is no news.
func (m *Monitor) reportStandstill() {
	ahead := m.LogTimeAhead()
	switch leads := m.conf.Leads(); {
	case !m.standstill && leads && ahead > m.conf.MaxClockSkew:
		m.standstill = true
		m.conf.Logger.Warn("log time stands still: an earlier leader's clock was ahead, and this leader's time lies behind log time. "+
			"Until it has caught up, nothing expires, no window ends and no refill falls due", "behind_by", ahead)
	case m.standstill && !leads:
		m.standstill = false
	case m.standstill && ahead == 0:
		m.standstill = false
		m.conf.Logger.Info("log time goes on: this leader's time has caught up with it")
	}
}

// askPeers asks the other voters how fit they are, all at once, and corrects their times by half the round trip. An answer that took
// longer than the tolerance says nothing.
func (m *Monitor) askPeers(ctx context.Context) map[string]peerFitness {
	ctx, cancel := context.WithTimeout(ctx, m.conf.MaxClockSkew)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	answers := make(map[string]peerFitness)
	for _, s := range m.conf.Cluster.Servers() {
		if s.Suffrage != raft.Voter || string(s.ID) == m.conf.NodeID {
			continue
		}
		asked.Go(func() {
			sent := m.guard.Now()
			a, err := Fitness.Call(ctx, m.conf.Client, m.conf.Cluster.AddressOf(s.ID, s.Address), rpc.Nothing{})
			received := m.guard.Now()
			if err != nil || a.nodeID != string(s.ID) || received-sent > m.conf.MaxClockSkew.Milliseconds() {
				m.conf.Logger.Debug("a node did not report its time", "member", s.ID, "err", err, "took_ms", received-sent)
				return
			}
			a.offset = a.time - sent - (received-sent)/2
			mu.Lock()
			defer mu.Unlock()
			answers[a.nodeID] = a
		})
	}
	asked.Wait()
	return answers
}
