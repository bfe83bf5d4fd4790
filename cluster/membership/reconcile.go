package membership

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	autopilot "github.com/hashicorp/raft-autopilot"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/rpc"
	"github.com/creditd/creditd/cluster/tally"
)

// Reconciler makes raft's configuration follow gossip, on the leader.
type Reconciler struct {
	Base
	Interval          time.Duration   // between two comparisons without an event
	Changed           <-chan struct{} // delivers a token after gossip's members have changed
	Blocked           func(nodeID string) bool
	Reporter          *Reporter
	LedgerVersion     func() uint64 // a node that does not read it is not added
	StabilizationTime time.Duration // how long a node must be healthy before its vote may raise the quorum
	ContactThreshold  time.Duration // since the leader was heard, at a healthy node
	AutopilotLogger   hclog.Logger
	UnprovenTimeout   time.Duration // how long a non-voter has to answer once, from the beginning of a term
	Departures        *Departures
	Removal           *Removal
	DeadAfter         time.Duration // a voter that is dead for so long is removed; 0: none is

	health atomic.Pointer[autopilot.State] // autopilot's last judgement of this term
	judged chan struct{}                   // holds a token when there is a new one
	failed map[string]string               // why the last comparison could not add a member, by id
	tried  time.Time                       // when it was made
	began  time.Time                       // when this term did
	proofs *proofs
	silent tally.Tally // members that did not prove themselves

	answeredMu sync.Mutex
	answered   map[string]bool // guarded by answeredMu: servers that did in this term
}

// Run compares gossip with raft's configuration until ctx ends: at the beginning, on every event, and every Interval. It gives votes
// whenever autopilot has judged the servers' health.
func (r *Reconciler) Run(ctx context.Context) {
	r.judged = make(chan struct{}, 1)
	r.health.Store(nil)
	r.failed = make(map[string]string)
	r.began, r.proofs = time.Now(), newProofs(r.whoIsAt)
	r.answeredMu.Lock()
	r.answered = make(map[string]bool)
	r.answeredMu.Unlock()
	// The logger comes first: a later option already logs, and would use hclog's default, which writes to stderr.
	pilot := autopilot.New(r.Raft, autopilotDelegate{r}, autopilot.WithLogger(r.AutopilotLogger),
		autopilot.WithReconciliationDisabled(), autopilot.WithUpdateInterval(r.autopilotInterval()))
	pilot.Start(ctx)
	defer func() { <-pilot.Stop() }()

	ticker := time.NewTicker(r.Interval)
	defer ticker.Stop()
	r.reconcile(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.Changed:
			r.reconcile(ctx)
		case <-r.proofs.due:
			r.reconcile(ctx)
		case <-ticker.C:
			r.reconcile(ctx)
		case <-r.judged:
			if len(r.failed) > 0 && time.Since(r.tried) > retryInterval {
				r.reconcile(ctx)
			}
			r.promote(ctx)
			r.dropUnproven(ctx)
			r.removeDead(ctx)
		}
	}
}

// retryInterval is how soon a change that failed is tried again.
const retryInterval = 3 * time.Second

// autopilotInterval is how often autopilot looks: often enough to see a new node stay healthy for the whole stabilization time.
func (r *Reconciler) autopilotInterval() time.Duration {
	return min(time.Second, r.StabilizationTime/4)
}

// reconcile makes at most the changes that gossip asks for now. A failed one is logged and tried again soon. Nodes that moved come before
// new nodes, which may have got their addresses.
func (r *Reconciler) reconcile(ctx context.Context) {
	r.tried = time.Now()
	failed := make(map[string]string)
	members := r.Directory.Members()
	r.proofs.keep(members)
	for _, isNew := range []bool{false, true} {
		for _, m := range members {
			if ctx.Err() != nil {
				return
			}
			s := r.Directory.Server(m.ID)
			if !m.Eligible() || m.Self && s == nil || r.Blocked(m.ID) || isNew != (s == nil) || s != nil && string(s.Address) == m.PeerAddr {
				continue
			}
			err := r.refuseVersion(m, isNew)
			if err == nil {
				err = r.refuseUnproven(ctx, m)
			}
			if err == nil {
				err = r.addServer(ctx, m)
			}
			if err == nil {
				continue
			}
			failed[m.ID] = err.Error()
			if r.failed[m.ID] != err.Error() && !errors.Is(err, errSilent) {
				r.Logger.Warn("could not add a node", "member", m.ID, "addr", m.PeerAddr, "err", err)
			}
		}
	}
	r.failed = failed
}

var errSilent = errors.New("the node has not proved yet that it is at its address")

// refuseUnproven keeps a member out, or at its old address, that does not answer at the one that gossip says it has.
func (r *Reconciler) refuseUnproven(ctx context.Context, m gossip.Member) error {
	if m.Self || r.proofs.has(ctx, m) {
		return nil
	}
	if since := r.silent.Note(time.Now()); since > 1 { // each is asked once before it can be known
		r.Logger.Warn("members that do not answer at their peer address are not added", "member", m.ID, "addr", m.PeerAddr, "attempts", since)
	}
	return errSilent
}

// refuseVersion keeps a new node out that does not read the ledger version.
func (r *Reconciler) refuseVersion(m gossip.Member, isNew bool) error {
	if v := r.LedgerVersion(); isNew && (v < uint64(m.MinLedger) || v > uint64(m.MaxLedger)) {
		return fmt.Errorf("its build, %s, reads ledger versions %d to %d, and the ledger has %d", m.Version, m.MinLedger, m.MaxLedger, v)
	}
	return nil
}

// addServer adds a member that raft does not know as a non-voter, and follows one that changed its address.
func (r *Reconciler) addServer(ctx context.Context, m gossip.Member) error {
	r.Changing.Lock()
	defer r.Changing.Unlock()
	f := r.Raft.GetConfiguration()
	if err := f.Error(); err != nil {
		return err
	}
	id, addr := raft.ServerID(m.ID), raft.ServerAddress(m.PeerAddr)
	var own, holder *raft.Server // the member's place, and another server that has its address
	for _, s := range f.Configuration().Servers {
		switch {
		case s.ID == id:
			own = &s
		case s.Address == addr:
			holder = &s
		}
	}
	switch {
	case own != nil:
		return r.follow(ctx, m, own, holder)
	case holder != nil && r.isElsewhere(holder.ID, addr):
		return fmt.Errorf("%w: %s", errHeld, holder.ID) // it is added once the configuration has the other one's new address
	case holder != nil:
		if err := r.displace(ctx, m, holder); err != nil {
			return err
		}
	}
	r.Logger.Info("adding a node as a non-voter", "member", m.ID, "addr", m.PeerAddr)
	return r.await(ctx, r.Raft.AddNonvoter(id, addr, 0, changeTimeout))
}

// follow notes the present address of a member that raft's configuration has. holder is another server with that address, if any.
func (r *Reconciler) follow(ctx context.Context, m gossip.Member, own, holder *raft.Server) error {
	id, addr := own.ID, raft.ServerAddress(m.PeerAddr)
	_, displaced := Place(own.Address)
	switch {
	case own.Address == addr:
		return nil
	case holder != nil && displaced:
		return nil
	case holder != nil:
		// raft takes no address twice. The member is reached where gossip sees it (Directory), and the other one keeps its place.
		r.Logger.Info("a node moved to the address that another one has in the configuration", "member", m.ID, "other", holder.ID, "addr", addr)
		return nil
	case displaced && !r.identityMatches(ctx, m):
		return nil // gossip has not noticed yet that the node is gone
	case own.Suffrage == raft.Voter:
		r.Logger.Info("a voter moved", "member", m.ID, "addr", m.PeerAddr)
		return r.await(ctx, r.Raft.AddVoter(id, addr, 0, changeTimeout))
	}
	r.Logger.Info("a non-voter moved", "member", m.ID, "addr", m.PeerAddr)
	return r.await(ctx, r.Raft.AddNonvoter(id, addr, 0, changeTimeout))
}

// errHeld is why a new node waits for another one that moved, this node included.
var errHeld = errors.New("the configuration still has its address for another server, which is elsewhere")

// errUnproven is why a new node does not get the place of the server that has its address.
var errUnproven = errors.New("the node does not answer at its address, which another server has")

// displace makes room for a node with a new id at the address of a server: the server there lost its data directory. Gossip may still
// call it alive, so the node there is asked who it is. A voter keeps its vote until the new node has caught up: see promote.go.
func (r *Reconciler) displace(ctx context.Context, m gossip.Member, holder *raft.Server) error {
	if !r.identityMatches(ctx, m) {
		return errUnproven
	}
	r.Logger.Warn("a node came back without its data and joins as a new one", "old", holder.ID, "new", m.ID, "addr", m.PeerAddr)
	if holder.Suffrage != raft.Voter {
		return r.await(ctx, r.Raft.RemoveServer(holder.ID, 0, changeTimeout))
	}
	return r.await(ctx, r.Raft.AddVoter(holder.ID, displacedAddr(m.PeerAddr, holder.ID), 0, changeTimeout))
}

// isElsewhere reports whether a server is this node, or one that gossip sees alive at another address than the one given.
func (r *Reconciler) isElsewhere(id raft.ServerID, addr raft.ServerAddress) bool {
	if string(id) == r.NodeID {
		return true
	}
	for _, m := range r.Directory.Members() {
		if m.ID == string(id) {
			return m.Health == gossip.Alive && m.PeerAddr != string(addr)
		}
	}
	return false
}

// identityMatches reports whether a member answers at its own peer address. While nobody does it asks again: the connection to the node
// that was there before may have to end first.
func (r *Reconciler) identityMatches(ctx context.Context, m gossip.Member) bool {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	for {
		if reply, err := Identify.Call(ctx, r.Client, m.PeerAddr, rpc.Nothing{}); err == nil {
			return reply.NodeID == m.ID
		}
		if !leader.Backoff(ctx) {
			return false
		}
	}
}
