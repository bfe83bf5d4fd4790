package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/creditd/creditd/store"
)

// Schedule says where and how often the leader makes backups. The zero value: never.
type Schedule struct {
	Dir      string // must exist; each node has its own, or all share one
	Interval time.Duration
	Keep     int // backups of the cluster that stay in Dir
}

// On reports whether there are to be backups.
func (s Schedule) On() bool { return s.Dir != "" }

// Validate reports every field that cannot work.
func (s Schedule) Validate() error {
	if s.On() && (s.Interval <= 0 || s.Keep < 1) {
		return fmt.Errorf("backup: the interval is %v and %d are kept; both must be positive", s.Interval, s.Keep)
	}
	return nil
}

// Ledger is the whole ledger at one index.
type Ledger interface {
	Write(ctx context.Context, w io.Writer) error
	Close() error
}

// KeeperConfig is everything a Keeper needs.
type KeeperConfig struct {
	Schedule
	NodeID    string
	ClusterID func() string // "" while there is none
	Leads     func() bool
	Open      func(context.Context) (Ledger, error)
	Pace      func() Pace // of reading a file again
	Reads     store.Versions
	Now       func() time.Time
	Logger    *slog.Logger
}

// Status is what a Keeper knows.
type Status struct {
	Last     time.Time // when the newest backup in the directory was begun; zero: there is none
	Size     int64     // of that one
	Duration time.Duration
	Failures uint64
	Failure  string // of the last attempt; empty: it did not fail
}

const (
	// lookInterval is how often it is looked whether a backup is due, and leadInterval whether this node has begun or ceased to lead.
	lookInterval, leadInterval = 10 * time.Second, time.Second
	// retryAfter is how long it rests after a failure: each attempt writes a snapshot of the node.
	retryAfter = time.Minute
	// longest bounds one backup, which keeps pages of the node's snapshot on the disk.
	longest = time.Hour
)

// Keeper makes a backup whenever the newest one in the directory is older than the interval and this node leads. The directory is all that it
// remembers, so a restart or another leader neither skips one nor makes one twice.
type Keeper struct {
	conf  KeeperConfig
	retry time.Time // not before; zero: the last attempt did not fail

	failedLeading bool // the last attempt failed, and this node led

	mu     sync.Mutex
	status Status // guarded by mu
}

// NewKeeper returns a keeper that does nothing yet.
func NewKeeper(conf KeeperConfig) *Keeper { return &Keeper{conf: conf} }

// Status returns what the keeper knows. on is false if there are no backups to be made.
func (k *Keeper) Status() (s Status, on bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status, k.conf.On()
}

// Run makes backups until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	if !k.conf.On() {
		return
	}
	ticker := time.NewTicker(leadInterval)
	defer ticker.Stop()
	led, rest := false, time.Duration(0)
	for {
		if leads := k.conf.Leads(); leads != led || rest <= 0 {
			led, rest = leads, lookInterval
			k.step(ctx)
		}
		rest -= leadInterval
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// errNoLeader ends a backup of a node that leads no longer. It is no failure: the next leader makes one.
var errNoLeader = errors.New("this node leads no longer")

// step looks at the directory, and makes a backup if one is due. A node that does not lead looks only, so that a directory which it cannot read
// is known before it leads.
func (k *Keeper) step(ctx context.Context) {
	clusterID, now := k.conf.ClusterID(), k.conf.Now()
	if rest := k.retry.Sub(now); clusterID == "" || rest > 0 && rest <= retryAfter { // a clock that was set back is no reason to rest
		return
	}
	leads := k.conf.Leads()
	err := k.keep(ctx, clusterID, now, leads)
	if errors.Is(err, errNoLeader) || ctx.Err() != nil {
		return
	}
	k.note(err, leads)
}

func (k *Keeper) keep(ctx context.Context, clusterID string, now time.Time, leads bool) error {
	files, err := k.look(clusterID)
	if err != nil || !leads {
		return err
	}
	if due(files, now, k.conf.Interval) {
		if err := k.save(ctx, clusterID); err != nil {
			return err
		}
		k.mu.Lock()
		k.status.Duration = k.conf.Now().Sub(now)
		k.mu.Unlock()
		if files, err = k.look(clusterID); err != nil {
			return err
		}
	}
	return prune(k.conf.Dir, files, k.conf.Keep)
}

// look lists the backups of the cluster, and notes the newest.
func (k *Keeper) look(clusterID string) ([]kept, error) {
	files, err := list(k.conf.Dir, clusterID)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status.Last, k.status.Size = time.Time{}, 0
	if len(files) > 0 {
		newest := files[len(files)-1]
		k.status.Last, k.status.Size = newest.at, newest.size
	}
	return files, nil
}

// note counts a failure, and logs when failures begin and end. A node that failed as the leader and leads no longer only looks: it does not
// know whether a backup would succeed.
func (k *Keeper) note(err error, leads bool) {
	k.mu.Lock()
	before, led := k.status.Failure, k.failedLeading
	k.failedLeading = err != nil && leads
	k.retry, k.status.Failure = time.Time{}, ""
	if err != nil {
		k.retry = k.conf.Now().Add(retryAfter)
		k.status.Failures++
		k.status.Failure = err.Error()
	}
	failures, last := k.status.Failures, k.status.Last
	k.mu.Unlock()
	switch {
	case err != nil && before == "":
		k.conf.Logger.Error("backups fail", "dir", k.conf.Dir, "err", err, "last", last)
	case err == nil && before != "" && (leads || !led):
		k.conf.Logger.Info("backups work again", "dir", k.conf.Dir, "last", last, "failures", failures)
	}
}
