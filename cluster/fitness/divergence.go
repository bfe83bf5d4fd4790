package fitness

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/cluster/rpc"
)

// The ledgers of all nodes are equal at equal indexes. A difference means damaged memory or a wrong program. That node would give wrong
// answers forever, so the leader compares, and a node that differs from the majority stops.

// Checkpoints asks a node for the digests of its ledger's past; Diverged tells it that it differs.
var (
	Checkpoints = rpc.Method[rpc.Nothing, checkpointsReply]{
		Number: 9, Name: "checkpoints", OfCluster: true, Request: rpc.Empty, Answer: rpc.JSON[checkpointsReply](),
	}
	Diverged = rpc.Method[Divergence, rpc.Nothing]{
		Number: 10, Name: "diverged", OfCluster: true, Request: rpc.JSON[Divergence](), Answer: rpc.Empty,
	}
)

// checkpointsReply is what a node remembers of its ledger's past. Unknown fields are ignored.
type checkpointsReply struct {
	NodeID      string               `json:"nodeId"`
	Checkpoints []replica.Checkpoint `json:"checkpoints"` // by index
}

// Divergence is an index at which ledgers differ.
type Divergence struct {
	Index      uint64            `json:"index"`
	Definition int               `json:"definition,omitempty"` // of the digests: see replica.Checkpoint
	Digests    map[string]string `json:"digests"`              // by node id
	Right      string            `json:"right"`                // the digest of the majority of voters; empty: there is none
}

// String tells an operator who has what.
func (d Divergence) String() string {
	ids := make([]string, 0, len(d.Digests))
	for id := range d.Digests {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	text := fmt.Sprintf("at index %d the ledgers differ:", d.Index)
	for _, id := range ids {
		text += fmt.Sprintf(" %s has %s", id, d.Digests[id])
		if d.Digests[id] == d.Right {
			text += " (majority)"
		}
		text += ";"
	}
	if d.Right == "" {
		text += " no majority says which is right;"
	}
	return text[:len(text)-1]
}

// accuses reports whether a node is one of those that differ.
func (d Divergence) accuses(nodeID string) bool {
	return d.Digests[nodeID] != "" && d.Digests[nodeID] != d.Right
}

// Comparer compares the ledgers of all nodes.
type Comparer struct {
	NodeID      string
	Interval    time.Duration // between two comparisons
	Checkpoints func() []replica.Checkpoint
	Cluster     Cluster
	Client      *rpc.Client
	Stop        func(Divergence) // ends this node, whose ledger differs
	Logger      *slog.Logger
}

const (
	// maxTiedRounds is how many comparisons in a row must find a difference without a majority before all nodes that differ stop.
	maxTiedRounds = 3
	// askTimeout bounds one comparison.
	askTimeout = 2 * time.Second
)

// Run is the leader's comparison, until ctx ends.
func (c *Comparer) Run(ctx context.Context) {
	ticker := time.NewTicker(c.Interval)
	defer ticker.Stop()
	tied := 0
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		d, decided := c.compare(ctx)
		switch {
		case d == nil:
			tied = 0
			continue
		case d.Right == "":
			if tied++; !decided || tied < maxTiedRounds {
				c.Logger.Error("the ledgers of the nodes differ, and no majority of voters tells which is right yet", "report", d.String())
				continue
			}
		}
		c.tell(ctx, *d)
		if d.accuses(c.NodeID) {
			c.Stop(*d)
			return
		}
	}
}

// compare asks all nodes and returns the first index at which they differ; nil means none. decided is false while a node that answers has
// not reached that index.
func (c *Comparer) compare(ctx context.Context) (found *Divergence, decided bool) {
	servers := c.Cluster.Servers()
	replies := c.ask(ctx, servers)
	comparable := make(map[replica.Comparable]map[string]string)
	for _, r := range replies {
		for _, p := range r.Checkpoints {
			at := p.Comparable()
			if comparable[at] == nil {
				comparable[at] = make(map[string]string)
			}
			comparable[at][r.NodeID] = p.Digest
		}
	}
	for at, digests := range comparable {
		if (found == nil || at.Index < found.Index) && differ(digests) {
			found = &Divergence{Index: at.Index, Definition: at.Definition, Digests: digests}
		}
	}
	if found == nil {
		return nil, false
	}
	found.Right = majority(found.Digests, servers)
	for _, r := range replies {
		if newest := len(r.Checkpoints) - 1; newest < 0 || r.Checkpoints[newest].Index < found.Index {
			return found, false
		}
	}
	return found, true
}

func differ(digests map[string]string) bool {
	first := ""
	for _, d := range digests {
		if first != "" && d != first {
			return true
		}
		first = d
	}
	return false
}

// majority returns the digest that more than half of all voters have, or "".
func majority(digests map[string]string, servers []raft.Server) string {
	voters, count := 0, make(map[string]int)
	for _, s := range servers {
		if s.Suffrage == raft.Voter {
			voters++
			count[digests[string(s.ID)]]++
		}
	}
	for d, n := range count {
		if d != "" && n > voters/2 {
			return d
		}
	}
	return ""
}

func (c *Comparer) ask(ctx context.Context, servers []raft.Server) map[string]checkpointsReply {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var mu sync.Mutex
	var asked sync.WaitGroup
	replies := map[string]checkpointsReply{c.NodeID: c.own()}
	for _, s := range servers {
		if string(s.ID) == c.NodeID {
			continue
		}
		asked.Go(func() {
			reply, err := Checkpoints.Call(ctx, c.Client, c.Cluster.AddressOf(s.ID, s.Address), rpc.Nothing{})
			if err != nil || reply.NodeID != string(s.ID) {
				c.Logger.Debug("a node did not report its checkpoints", "member", s.ID, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			replies[reply.NodeID] = reply
		})
	}
	asked.Wait()
	return replies
}

func (c *Comparer) own() checkpointsReply {
	return checkpointsReply{NodeID: c.NodeID, Checkpoints: c.Checkpoints()}
}

// ServeCheckpoints reports this node's digests.
func (c *Comparer) ServeCheckpoints(context.Context, rpc.Nothing) (checkpointsReply, error) {
	return c.own(), nil
}

// tell tells the other nodes that differ.
func (c *Comparer) tell(ctx context.Context, d Divergence) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	for _, s := range c.Cluster.Servers() {
		if string(s.ID) == c.NodeID || !d.accuses(string(s.ID)) {
			continue
		}
		c.Logger.Error("a node's ledger differs: telling it to stop", "member", s.ID, "report", d.String())
		if _, err := Diverged.Call(ctx, c.Client, c.Cluster.AddressOf(s.ID, s.Address), d); err != nil {
			c.Logger.Warn("the node could not be told; trying again", "member", s.ID, "err", err)
		}
	}
}

// ServeDiverged stops this node, if it really has the digest that is said to be wrong. It answers first: afterwards nobody can.
func (c *Comparer) ServeDiverged(_ rpc.Caller, d Divergence, reply rpc.Reply[rpc.Nothing]) {
	said := replica.Checkpoint{Index: d.Index, Digest: d.Digests[c.NodeID], Definition: d.Definition}
	has := slices.ContainsFunc(c.Checkpoints(), func(mine replica.Checkpoint) bool {
		return mine.Digest == said.Digest && mine.Comparable() == said.Comparable()
	})
	if !d.accuses(c.NodeID) || !has {
		reply(rpc.Nothing{}, fault.New(fault.Invalid, "This node does not have the digest that is said to be wrong"))
		return
	}
	reply(rpc.Nothing{}, nil)
	go c.Stop(d)
}
