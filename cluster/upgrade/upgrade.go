package upgrade

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/fsm"
)

// Range is the ledger versions that a build reads, both included.
type Range struct {
	Min uint64 `json:"min"`
	Max uint64 `json:"max"`
}

// OfThisBuild is what this build reads.
var OfThisBuild = Range{fsm.OldestLedgerVersion, fsm.NewestLedgerVersion}

// orFirst is the range of a build that announces none: such builds know the first version only.
func (r Range) orFirst() Range {
	if r == (Range{}) {
		return Range{1, 1}
	}
	return r
}

// Node is what a node announces.
type Node struct {
	Build string
	Reads Range
}

// Config is what a Raiser needs.
type Config struct {
	Self     Node
	Interval time.Duration                             // between two attempts
	Current  func() uint64                             // the ledger version
	Servers  func() []raft.Server                      // raft's configuration
	Members  func() []gossip.Member                    // what gossip sees; nothing on a node without gossip
	Ask      func(ctx context.Context) map[string]Node // the servers that answer, by id
	Raise    func(context.Context, *fsm.RaiseLedgerVersion) error
	Logger   *slog.Logger
}

// Raiser raises the ledger version while its node leads.
type Raiser struct{ conf Config }

// New returns a raiser.
func New(conf Config) *Raiser { return &Raiser{conf} }

// Run tries to raise the version until it is the newest that this node reads, or ctx ends.
func (r *Raiser) Run(ctx context.Context) {
	waiting := ""
	for {
		current := r.conf.Current()
		if current >= r.conf.Self.Reads.Max {
			return
		}
		target, why := r.target(ctx)
		if target > current {
			err := r.conf.Raise(ctx, &fsm.RaiseLedgerVersion{Version: target, Build: r.conf.Self.Build})
			switch {
			case err == nil:
				r.conf.Logger.Info("raised the ledger version", "from", current, "to", target)
				continue
			case ctx.Err() == nil:
				r.conf.Logger.Warn("the ledger version could not be raised; trying again", "to", target, "err", err)
			}
		} else if why != waiting {
			waiting = why
			r.conf.Logger.Info("the ledger version waits for nodes", "version", current, "newest", r.conf.Self.Reads.Max, "why", why)
		}
		select {
		case <-time.After(r.conf.Interval):
		case <-ctx.Done():
			return
		}
	}
}

// target is the newest version that all servers read. why says what keeps it from being the newest that this node reads. A voter that does
// not answer may come back with any build, so it counts as one that reads no newer version. A non-voter that is down does not count.
func (r *Raiser) target(ctx context.Context) (version uint64, why string) {
	version = r.conf.Self.Reads.Max
	answers := r.conf.Ask(ctx)
	for _, s := range r.conf.Servers() {
		id := string(s.ID)
		n, ok := answers[id]
		switch {
		case !ok && s.Suffrage != raft.Voter && !r.up(id):
		case !ok:
			version, why = 0, fmt.Sprintf("node %s does not answer", id)
		case n.Reads.orFirst().Max < version:
			version, why = n.Reads.orFirst().Max, describe(id, n)
		}
	}
	return version, why
}

func (r *Raiser) up(id string) bool {
	return slices.ContainsFunc(r.conf.Members(), func(m gossip.Member) bool { return m.ID == id && m.Health == gossip.Alive })
}

// Behind says which nodes keep the ledger from having a version, for people.
func (r *Raiser) Behind(version uint64) string {
	var behind []string
	members := r.conf.Members()
	for _, s := range r.conf.Servers() {
		if id := string(s.ID); len(members) > 0 && s.Suffrage == raft.Voter && !r.up(id) {
			behind = append(behind, fmt.Sprintf("node %s does not answer", id))
		}
	}
	for _, m := range members {
		n := Node{Build: m.Version, Reads: Range{uint64(m.MinLedger), uint64(m.MaxLedger)}}
		if !m.Foreign && m.Health == gossip.Alive && n.Reads.orFirst().Max < version {
			behind = append(behind, describe(m.ID, n))
		}
	}
	if len(behind) == 0 {
		return "the cluster raises it as soon as every node is known to read it"
	}
	return strings.Join(behind, "; ")
}

func describe(id string, n Node) string {
	reads := n.Reads.orFirst()
	return fmt.Sprintf("node %s has creditd %s, which reads ledger versions %d to %d", id, n.Build, reads.Min, reads.Max)
}
