package membership

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/rpc"
)

// Gossip suggests members, and without a key anybody can invent some. So the node at a member's peer address is asked who it is before
// raft's configuration gets that address.
const (
	// maxAsking is how many members are asked at a time.
	maxAsking = 16
	// proofLasts is how long an answer counts.
	proofLasts = 10 * time.Second
	// A member that did not answer is asked again after a pause that grows.
	leastProofPause, mostProofPause = 500 * time.Millisecond, time.Minute
)

// claim is that a node is at an address.
type claim struct{ id, addr string }

// proofs are the claims of members that gossip sees.
type proofs struct {
	ask func(ctx context.Context, addr string) (id string, err error)
	due chan struct{} // holds a token after a member has proved itself, and when one can be asked again

	mu     sync.Mutex
	asking int // guarded by mu
	claims map[claim]*proof
	queue  []claim // guarded by mu: to be asked when others have answered, so that each gets its turn
}

// proof is what is known of a claim. The mutex of proofs guards it.
type proof struct {
	asked  bool      // at present, or in the queue
	until  time.Time // proved until then
	next   time.Time // when to ask again
	failed int       // in a row
}

func newProofs(ask func(ctx context.Context, addr string) (string, error)) *proofs {
	return &proofs{ask: ask, due: make(chan struct{}, 1), claims: make(map[claim]*proof)}
}

// keep forgets the claims that no member makes any more.
func (p *proofs) keep(members []gossip.Member) {
	made := make(map[claim]bool, len(members))
	for _, m := range members {
		made[claim{m.ID, m.PeerAddr}] = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c, proof := range p.claims {
		if !made[c] && !proof.asked {
			delete(p.claims, c)
		}
	}
	p.queue = slices.DeleteFunc(p.queue, func(c claim) bool {
		if !made[c] {
			delete(p.claims, c)
		}
		return !made[c]
	})
}

// has reports whether a member has proved a moment ago that it is at its address. If not, it is asked in the background.
func (p *proofs) has(ctx context.Context, m gossip.Member) bool {
	now := time.Now()
	c := claim{m.ID, m.PeerAddr}
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.claims[c]
	if known == nil {
		known = new(proof)
		p.claims[c] = known
	}
	if now.Before(known.until) {
		return true
	}
	if !known.asked && !now.Before(known.next) {
		known.asked = true
		p.queue = append(p.queue, c)
		p.startLocked(ctx)
	}
	return false
}

func (p *proofs) startLocked(ctx context.Context) {
	for len(p.queue) > 0 && p.asking < maxAsking {
		c := p.queue[0]
		p.queue = p.queue[1:]
		p.asking++
		go p.find(ctx, c, p.claims[c])
	}
}

func (p *proofs) find(ctx context.Context, c claim, known *proof) {
	asking, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	id, err := p.ask(asking, c.addr)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.asking--
	p.startLocked(ctx)
	known.asked = false
	if err != nil || id != c.id {
		pause := min(leastProofPause<<min(known.failed, 16), mostProofPause)
		known.next = now.Add(pause)
		known.failed++
		time.AfterFunc(pause, p.wake)
		return
	}
	known.until, known.failed = now.Add(proofLasts), 0
	p.wake()
}

func (p *proofs) wake() {
	select {
	case p.due <- struct{}{}:
	default:
	}
}

// whoIsAt asks the node at an address who it is.
func (r *Reconciler) whoIsAt(ctx context.Context, addr string) (string, error) {
	reply, err := Identify.Call(ctx, r.Client, addr, rpc.Nothing{})
	return reply.NodeID, err
}

// maxDropped is how many servers are dropped at a time.
const maxDropped = 16

// dropUnproven removes the non-voters that have not answered once in the time that they had, since this term began: a leader of an earlier
// build added them because gossip said so. Voters are never removed for being silent.
func (r *Reconciler) dropUnproven(ctx context.Context) {
	if time.Since(r.began) < r.UnprovenTimeout {
		return
	}
	r.askOnceMore(ctx)
	r.Changing.Lock()
	defer r.Changing.Unlock()
	for _, s := range r.unproven() {
		r.Logger.Warn("a non-voter that has never answered is dropped", "member", s.ID, "addr", s.Address, "after", r.UnprovenTimeout)
		if err := r.await(ctx, r.Raft.RemoveServer(s.ID, 0, changeTimeout)); err != nil {
			return // the next round tries again
		}
		r.Departures.Add(Departure{NodeID: string(s.ID), At: time.Now().UnixMilli(), By: "the leader, which it never answered"})
	}
}

// askOnceMore asks those that are to be dropped. Autopilot asks only those that gossip shows, and raft may reach others as well.
func (r *Reconciler) askOnceMore(ctx context.Context) {
	addrs := make(map[string]string)
	for _, s := range r.unproven() {
		addrs[string(s.ID)] = r.Directory.AddressOf(s.ID, s.Address)
	}
	if len(addrs) == 0 {
		return
	}
	reports := r.Reporter.Ask(ctx, addrs)
	r.answeredMu.Lock()
	defer r.answeredMu.Unlock()
	for id := range reports {
		r.answered[id] = true
	}
}

func (r *Reconciler) unproven() []raft.Server {
	servers := r.Directory.Servers()
	r.answeredMu.Lock()
	defer r.answeredMu.Unlock()
	return unprovenOf(servers, r.NodeID, r.answered)
}

// unprovenOf returns the non-voters that are not in answered, some of them if they are many.
func unprovenOf(servers []raft.Server, self string, answered map[string]bool) (unproven []raft.Server) {
	for _, s := range servers {
		if s.Suffrage != raft.Voter && string(s.ID) != self && !answered[string(s.ID)] && len(unproven) < maxDropped {
			unproven = append(unproven, s)
		}
	}
	return unproven
}
