package batch

import (
	"slices"
	"sync"
	"time"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// Answer is what a waiter is told. Exactly one of Result and Err is set, except that a read has neither.
type Answer struct {
	Result fsm.Result
	// Index is the log index that the answer reflects.
	Index uint64
	Err   error
}

// Waiter waits for one answer. Answer is called exactly once and must not block.
type Waiter interface{ Answer(Answer) }

// Log is where entries go. One goroutine calls Propose.
type Log interface {
	// Propose hands on one entry, stamped with the present time. It may return before the entry is committed. It keeps no reference to the
	// slice, which the next entry uses again.
	Propose(calls []fsm.Call) Pending
	// Refused counts a request for which the queue had no room. It may be called from any goroutine.
	Refused()
}

// Pending is an entry under way.
type Pending interface {
	// Done is closed when the entry was applied or failed.
	Done() <-chan struct{}
	// Results returns one result per call, or why there are none. Valid once Done is closed.
	Results() (results []fsm.Result, index uint64, err error)
}

// Config bounds a Batcher. Zero fields take their defaults.
type Config struct {
	MaxCalls      int // calls in one entry; default 4096
	MaxBytes      int // encoded size of one entry's calls, unless a single call is larger; default 256 KiB
	MaxWork       int // estimated work of one entry's calls (fsm.Work), unless a single call has more; default fsm.MaxEntryWork
	MaxInFlight   int // entries proposed and not applied; default 1: two make entries half as large and were a quarter slower
	MaxQueued     int // requests that wait to be proposed; default 65536
	MaxQueueBytes int // encoded size of those; default 64 MiB

	// Waited is told, for each entry, how long requests had waited when it was made; nil: nobody is.
	Waited func(time.Duration)
}

func (c *Config) setDefaults() {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&c.MaxCalls, 4096}, {&c.MaxBytes, 256 << 10}, {&c.MaxWork, int(fsm.MaxEntryWork)}, {&c.MaxInFlight, 1}, {&c.MaxQueued, 65536}, {&c.MaxQueueBytes, 64 << 20},
	} {
		if *f.field <= 0 {
			*f.field = f.value
		}
	}
}

// Ledger is what a batcher asks of the local state. It may ask from any goroutine.
type Ledger struct {
	// Peek answers a call that changes nothing.
	Peek func(*fsm.Call) (fsm.Result, bool)
	// Examine reports whether Peek answers a call, unless it is a retransmission, and estimates what it costs.
	Examine func(call *fsm.Call, retransmission bool) (unchanging bool, work fsm.Work)
	// Workspace names the workspace of a root key; callers that are not known share one name.
	Workspace func(actor fsm.Hash) string
}

// Batcher is the one proposer of a leader.
type Batcher struct {
	conf Config
	log  Log
	Ledger

	mu     sync.Mutex
	queue  queue     // guarded by mu
	spare  spare     // guarded by mu
	since  time.Time // guarded by mu: since when there has been something in the queue
	closed bool      // guarded by mu

	wake     chan struct{} // signals a queue that is no longer empty, or closed
	slots    chan struct{} // one token per entry in flight
	proposed chan entry    // entries in log order, for the completer
	giveUp   chan struct{} // closed by Abandon
	done     chan struct{} // closed when both goroutines have ended
	once     sync.Once
}

// queued is one request that waits.
type queued struct {
	call     fsm.Call // Command nil: a pure read
	size     int      // encoded size of the call, or an upper bound
	work     int      // estimate; 0 for a pure read
	read     bool     // answered by Peek once an entry was applied
	deadline time.Time
	waiter   Waiter

	sorted    bool // it is counted for its workspace
	workspace string
}

// entry is one proposal and who waits for it.
type entry struct {
	writes, reads []queued
	pending       Pending
}

// New starts a batcher.
func New(conf Config, log Log, ledger Ledger) *Batcher {
	conf.setDefaults()
	b := &Batcher{
		conf: conf, log: log, Ledger: ledger,
		wake:     make(chan struct{}, 1),
		slots:    make(chan struct{}, conf.MaxInFlight),
		proposed: make(chan entry, conf.MaxInFlight),
		giveUp:   make(chan struct{}),
		done:     make(chan struct{}),
	}
	go b.propose()
	go b.complete()
	return b
}

// Execute queues a call. size is the length of its encoding or an upper bound. A deadline that passes while the call still waits
// to be proposed ends it unexecuted; the zero deadline is none. A retransmission goes through the log in any case, because only there its
// call id tells whether the first copy was executed.
func (b *Batcher) Execute(call fsm.Call, size int, retransmission bool, deadline time.Time, w Waiter) {
	unchanging, work := b.Examine(&call, retransmission)
	b.Queue(call, size, unchanging, work, deadline, w)
}

// Queue is Execute for a call that was examined.
func (b *Batcher) Queue(call fsm.Call, size int, unchanging bool, work fsm.Work, deadline time.Time, w Waiter) {
	b.add(queued{call: call, size: size, work: int(work), read: unchanging, deadline: deadline, waiter: w})
}

// Read queues a read: it is answered once an entry that was proposed after this moment has been applied.
func (b *Batcher) Read(deadline time.Time, w Waiter) {
	b.add(queued{read: true, deadline: deadline, waiter: w})
}

func (b *Batcher) add(q queued) {
	b.mu.Lock()
	if !b.queue.short(&b.conf, q.size) && q.call.Command != nil && !b.closed {
		b.mu.Unlock()
		q.workspace, q.sorted = b.workspace(&q.call), true // it may wait for the ledger
		b.mu.Lock()
	}
	var refusal *fault.Error
	switch {
	case b.closed:
		refusal = notLeading
	case !b.queue.admits(&b.conf, &q):
		refusal = overloaded
	default:
		b.queue.add(q)
	}
	first := b.queue.count == 1
	if first && refusal == nil {
		b.since = time.Now()
	}
	b.mu.Unlock()
	if refusal != nil {
		if refusal == overloaded {
			b.log.Refused()
		}
		q.waiter.Answer(Answer{Err: refusal})
		return
	}
	if first {
		b.signal()
	}
}

// ofNodes is the lane of what nodes do for themselves. No workspace has this name.
const ofNodes = "nodes"

func (b *Batcher) workspace(call *fsm.Call) string {
	if call.Actor == (fsm.Hash{}) {
		return ofNodes
	}
	return b.Workspace(call.Actor)
}

var (
	notLeading = fault.New(fault.Unavailable, "The leader is changing")
	overloaded = fault.New(fault.Overloaded, "Too many requests are waiting")
	expired    = fault.New(fault.TimedOut, "The deadline passed before the request was executed")
	abandoned  = fault.New(fault.Unknown, "The leader stopped before the outcome was known")
)

func (b *Batcher) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// propose is the goroutine that makes entries.
func (b *Batcher) propose() {
	defer close(b.proposed)
	var calls []fsm.Call // of one entry after the other
	for range b.wake {
		for {
			b.slots <- struct{}{}
			e, closed := b.next()
			if len(e.writes) == 0 && len(e.reads) == 0 {
				<-b.slots
				if closed {
					return
				}
				break
			}
			calls = slices.Grow(calls[:0], len(e.writes))
			for i := range e.writes {
				calls = append(calls, e.writes[i].call)
			}
			e.pending = b.log.Propose(calls)
			clear(calls)
			b.proposed <- e
		}
	}
}

// next takes from the queue what becomes one entry. A closed batcher has nothing more to propose.
func (b *Batcher) next() (e entry, closed bool) {
	b.mu.Lock()
	if b.closed {
		rest := b.queue.takeAll()
		b.mu.Unlock()
		answerAll(rest, Answer{Err: notLeading})
		return entry{}, true
	}
	if b.queue.count == 0 {
		b.mu.Unlock()
		return entry{}, false
	}
	fits, since := b.queue.fits(&b.conf), b.since
	taken := b.queue.takeArrived()
	if fits {
		b.queue = queue{}
	} else {
		b.since = time.Now() // about: whose turn comes later has waited longer
	}
	b.queue.arrived = b.spare.take()
	reads := b.spare.take()
	b.mu.Unlock()
	if b.conf.Waited != nil {
		b.conf.Waited(time.Since(since))
	}
	if !fits {
		taken = b.share(taken)
	}
	if e = split(taken, reads); len(e.writes) == 0 && len(e.reads) == 0 {
		return b.next() // all of them had expired
	}
	return e, false
}

// share sorts what arrived into the lanes of workspaces, and takes from these what becomes one entry.
func (b *Batcher) share(arrived []queued) []queued {
	for i := range arrived {
		r := &arrived[i]
		switch {
		case r.sorted || r.call.Command == nil:
		case i > 0 && arrived[i-1].call.Command != nil && r.call.Actor == arrived[i-1].call.Actor:
			r.workspace = arrived[i-1].workspace
		default:
			r.workspace = b.workspace(&r.call)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue.sort(arrived)
	b.spare.keep(arrived)
	return b.queue.compose(&b.conf)
}

// split tells writes from reads, and answers what has expired. The writes stay in the array of what was taken, the reads go into another one.
func split(taken, reads []queued) entry {
	now, e := time.Now(), entry{writes: taken[:0], reads: reads}
	for _, q := range taken {
		switch {
		case !q.deadline.IsZero() && now.After(q.deadline):
			q.waiter.Answer(Answer{Err: expired})
		case q.read:
			e.reads = append(e.reads, q)
		default:
			e.writes = append(e.writes, q)
		}
	}
	clear(taken[len(e.writes):])
	return e
}

// complete is the goroutine that answers, entry by entry.
func (b *Batcher) complete() {
	defer close(b.done)
	for e := range b.proposed {
		select {
		case <-e.pending.Done():
			b.settle(e)
		case <-b.giveUp:
			b.abandon(e)
		}
		<-b.slots
	}
}

func (b *Batcher) settle(e entry) {
	results, index, err := e.pending.Results()
	if err != nil {
		answerAll(e.writes, Answer{Err: err})
		answerAll(e.reads, Answer{Err: unread(err)})
		return
	}
	for i := range e.writes {
		a := Answer{Result: results[i], Index: index}
		if replayed, ok := results[i].(*fsm.Retransmitted); ok {
			a = Answer{Result: replayed.Result, Index: replayed.Index}
		}
		e.writes[i].waiter.Answer(a)
	}
	for i := range e.reads {
		b.answerRead(&e.reads[i], index)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spare.keep(e.reads)
	b.spare.keep(e.writes)
}

// answerRead answers a read, or queues the call again as a write where it would change something by now.
func (b *Batcher) answerRead(q *queued, index uint64) {
	if q.call.Command == nil {
		q.waiter.Answer(Answer{Index: index})
		return
	}
	if r, ok := b.Peek(&q.call); ok {
		q.waiter.Answer(Answer{Result: r, Index: index})
		return
	}
	q.read = false
	b.add(*q)
}

// unread is the fault of a read whose entry failed. The read did nothing, even if the entry took effect.
func unread(err error) error {
	if fault.KindOf(err) != fault.Unknown {
		return err
	}
	return fault.Wrap(fault.Unavailable, "Leadership changed while the request waited", err)
}

func (b *Batcher) abandon(e entry) {
	answerAll(e.writes, Answer{Err: abandoned})
	answerAll(e.reads, Answer{Err: unread(abandoned)})
}

func answerAll(requests []queued, a Answer) {
	for _, q := range requests {
		q.waiter.Answer(a)
	}
}

// Close refuses new requests, answers the queued ones as not executed and waits until every entry in flight was applied or failed.
// It may be called twice and from several goroutines.
func (b *Batcher) Close() {
	b.refuse()
	<-b.done
}

// refuse lets nothing further be proposed.
func (b *Batcher) refuse() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.signal()
}

// Abandon is Close for a log that may never answer: entries in flight end as unknown.
func (b *Batcher) Abandon() {
	b.refuse()
	b.once.Do(func() { close(b.giveUp) })
	b.Close()
}

// Queued returns how many requests wait to be proposed.
func (b *Batcher) Queued() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.queue.count
}
