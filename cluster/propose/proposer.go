package propose

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/leader"
	"github.com/creditd/creditd/cluster/tracing"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/fsm"
)

// Ledger is this node's copy of the ledger.
type Ledger interface {
	// Peek answers a call that would change nothing. With dating false a change of the date of last use counts as nothing.
	Peek(call *fsm.Call, updateLastUsed bool) (fsm.Result, bool)
	// Examine reports whether Peek answers a call, unless it is a retransmission, and estimates how long the call takes. A call with more work
	// than most is only estimated.
	Examine(call *fsm.Call, retransmission, updateLastUsed bool, most fsm.Work) (unchanging bool, work fsm.Work)
	// Index is an index that what Peek has answered before reflects.
	Index() uint64
	// Workspace names the workspace of a root key; "": the root key is unknown.
	Workspace(actor fsm.Hash) string
	// Answer answers a query once minIndex is applied, with the index that the answer reflects.
	Answer(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error)
	// LedgerVersion is the version of the ledger.
	LedgerVersion() uint64
	// Applied waits until an index is applied. The error is ctx's.
	Applied(ctx context.Context, index uint64) error
}

// Fitness is what proposing asks of this node's clock and of the voters' disks.
type Fitness interface {
	// Stamp returns the time for the next entry.
	Stamp() int64
	// AnyDiskFull is asked for every command and must be cheap.
	AnyDiskFull() bool
	// RefuseChange returns why a command that changes something is refused, nil if it is not.
	RefuseChange() error
}

// Raft is where entries go.
type Raft interface {
	Apply(cmd []byte, timeout time.Duration) raft.ApplyFuture
}

// Config is what a Proposer needs.
type Config struct {
	NodeID  string
	Raft    Raft
	Ledger  Ledger
	Fitness Fitness
	Leader  *leader.Finder
	Batch   batch.Config
	Turns   *turns.Turns
	// Proposing is told of each entry before raft gets it; nil: nobody is.
	Proposing func(calls int)
	// Traces makes spans of traced commands; nil: none are made.
	Traces *tracing.Tracer
	// Behind says, for people, which nodes keep the ledger from having a version.
	Behind             func(version uint64) string
	IdempotencyMaxKeys uint64          // the capacity of the idempotency store while this node leads
	Stopping           <-chan struct{} // closed when the node stops
}

// Proposer executes commands and answers queries, wherever the leader is.
type Proposer struct {
	conf      Config
	session   clientSession
	sessions  sessionLimit
	readIndex readIndexRounds
	waiters   sync.Pool // of waiter
	examined  sync.Pool // of *fsm.Call
	counts    counts

	// batcher is the present term's, nil unless this node serves as the leader.
	batcher atomic.Pointer[batch.Batcher]
}

// New returns a proposer.
func New(conf Config) *Proposer {
	p := &Proposer{conf: conf}
	p.session.open = p.openSession
	p.readIndex.ask = p.askReadIndex
	return p
}

// Serves reports whether this node leads and takes commands.
func (p *Proposer) Serves() bool { return p.batcher.Load() != nil }

// counts is what this node handed to raft.
type counts struct{ entries, calls, bytes, refused atomic.Uint64 }

// Stats is a copy of the counters.
type Stats struct {
	Entries, Calls, Bytes uint64 // handed to raft since the start
	Queued                int    // requests that wait to be proposed
	Refused               uint64 // requests for which the queue had no room
}

// Stats returns what this node proposed.
func (p *Proposer) Stats() Stats {
	s := Stats{Entries: p.counts.entries.Load(), Calls: p.counts.calls.Load(), Bytes: p.counts.bytes.Load(), Refused: p.counts.refused.Load()}
	if b := p.batcher.Load(); b != nil {
		s.Queued = b.Queued()
	}
	return s
}

// Close answers every waiting command of a term that is served. raft must be running still, or never answer again.
func (p *Proposer) Close() {
	if b := p.batcher.Load(); b != nil {
		b.Close()
	}
}
