package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
	"github.com/creditd/creditd/store/failpoint"
)

// Config is what a Replica needs.
type Config struct {
	Logger *slog.Logger
	// CheckpointEntries is the number of entries between two remembered digests.
	CheckpointEntries uint64
	// RatelimitMaxWindows is how many windows of rate limits the ledger may hold: see fsm.State.LimitWindows.
	RatelimitMaxWindows uint64
	// Configured takes each configuration that is committed, in order, on raft's goroutine. Entries that are applied again after a start are
	// reported again.
	Configured func([]raft.Server)
	// Applying is told when raft hands over committed entries, and Applied how long the ledger took for one; nil: nobody is.
	Applying func()
	Applied  func(index uint64, took time.Duration)
	// Calls takes the calls of each entry before they are applied, without the lock; nil: nobody does.
	Calls func([]fsm.Call)
	// Pace begins the pace of a snapshot, or of a copy of one for another node; nil: they do not rest.
	Pace func() Pace
	// Preloaded is the ledger of the present snapshot, which Restore takes; nil: Restore loads it.
	Preloaded *Preloaded
	// Fail reports why the node must stop.
	Fail func(error)
	// RaiseLedgerVersion records in the data directory that the ledger has a version, before anybody sees that it does.
	RaiseLedgerVersion func(version uint64, build string) error
}

// Replica is the raft.BatchingFSM around the ledger: it decodes entries, applies them and hands results back.
//
// A committed entry that cannot be decoded ends the node, because skipping it would make it differ from the others.
type Replica struct {
	log   *slog.Logger
	fail  func(error)
	raise func(version uint64, build string) error
	// configured takes committed configurations
	configured func([]raft.Server)
	applying   func()
	calls      func([]fsm.Call)
	appliedIn  func(index uint64, took time.Duration)
	pace       func() Pace
	restored   atomic.Uint64 // snapshots that were restored since the start

	applied   appliedIndex
	clusterID atomic.Pointer[string] // nil until the ledger has one
	named     chan string            // the cluster id, once

	requestQuotas atomic.Bool // whether a workspace has a quota of requests

	restores int         // in a row, with no entry between them; raft's FSM goroutine only
	entries  codec.Coder // raft's FSM goroutine only

	holds holds

	copied    received   // a copy from another node that was checked and not restored yet
	preloaded *Preloaded // until the first Restore; nil: there is none

	mu    sync.RWMutex
	past  checkpoints // guarded by mu
	state *fsm.State  // guarded by mu
	most  uint64      // windows of rate limits: see Config
	last  uint64      // guarded by mu: the last entry that state holds; applied follows when raft's whole batch is done

	replay time.Duration // guarded by mu: what the entries behind the snapshot took; see Replay
	base   string        // guarded by mu: id of the snapshot that the state's dirty set is relative to
}

var _ raft.BatchingFSM = (*Replica)(nil)

// New returns an empty ledger.
func New(conf Config) *Replica {
	r := &Replica{
		most: conf.RatelimitMaxWindows, log: conf.Logger, fail: conf.Fail, raise: conf.RaiseLedgerVersion, configured: conf.Configured, named: make(chan string, 1),
		holds: newHolds(), state: fsm.New(), past: checkpoints{step: conf.CheckpointEntries},
	}
	r.state.LimitWindows(r.most)
	r.preloaded = conf.Preloaded
	if r.applying, r.appliedIn = conf.Applying, conf.Applied; r.applying == nil {
		r.applying = func() {}
	}
	if r.calls = conf.Calls; r.calls == nil {
		r.calls = func([]fsm.Call) {}
	}
	if r.appliedIn == nil {
		r.appliedIn = func(uint64, time.Duration) {}
	}
	if r.pace = conf.Pace; r.pace == nil {
		r.pace = func() Pace { return noPace{} }
	}
	return r
}

// Named delivers the id of the cluster, once, when the ledger has it.
func (r *Replica) Named() <-chan string { return r.named }

// ClusterID returns the id of the cluster, "" while the ledger has none.
func (r *Replica) ClusterID() string {
	if id := r.clusterID.Load(); id != nil {
		return *id
	}
	return ""
}

// Checkpoints returns the remembered digests by index.
func (r *Replica) Checkpoints() []Checkpoint {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.past.digests)
}

// View calls fn with the ledger, which it may only read.
func (r *Replica) View(fn func(*fsm.State)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	fn(r.state)
}

// Peek answers a call that would change nothing: see fsm.State.Peek, and PeekWithoutLastUsed for dating false.
func (r *Replica) Peek(call *fsm.Call, updateLastUsed bool) (fsm.Result, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.peekLocked(call, updateLastUsed)
}

func (r *Replica) peekLocked(call *fsm.Call, updateLastUsed bool) (fsm.Result, bool) {
	if _, hot := call.Command.(*fsm.VerifyKey); !hot {
		defer r.holds.since(peeking, call.Command, time.Now())
	}
	if !updateLastUsed {
		return r.state.PeekWithoutLastUsed(call)
	}
	return r.state.Peek(call)
}

// Examine reports whether Peek answers a call, unless it is a retransmission, and estimates its work: see fsm.State.Work. A call with more work
// than most is only estimated. Every debit passes here, so it takes the lock once.
func (r *Replica) Examine(call *fsm.Call, retransmission, updateLastUsed bool, most fsm.Work) (unchanging bool, work fsm.Work) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if work = r.state.Work(call); !retransmission && work <= most {
		_, unchanging = r.peekLocked(call, updateLastUsed)
	}
	return unchanging, work
}

// Index returns the index that the ledger reflects.
func (r *Replica) Index() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.indexLocked()
}

// Applied waits until an index is applied here. The error is ctx's.
func (r *Replica) Applied(ctx context.Context, index uint64) error { return r.applied.wait(ctx, index) }

// Answer answers a query once minIndex is applied here, and returns the index that the answer reflects. The error is ctx's.
func (r *Replica) Answer(ctx context.Context, actor fsm.Hash, q fsm.Query, minIndex uint64) (fsm.Result, uint64, error) {
	if err := r.applied.wait(ctx, minIndex); err != nil {
		return nil, 0, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	defer r.holds.since(answering, q, time.Now())
	return r.state.Answer(actor, q), r.indexLocked(), nil
}

// Clock returns the log time of the ledger, in Unix milliseconds.
func (r *Replica) Clock() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.Clock()
}

// LedgerVersion returns the version of the ledger.
func (r *Replica) LedgerVersion() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.LedgerVersion()
}

// Digest returns the digest of the ledger and the index at which it was taken.
func (r *Replica) Digest() (index uint64, d fsm.Digest) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.indexLocked(), r.state.Digest()
}

// indexLocked is the index that the state reflects: entries after the last command change nothing.
func (r *Replica) indexLocked() uint64 { return max(r.last, r.applied.get()) }

// ApplyBatch implements raft.BatchingFSM. The response to a command is a []fsm.Result.
func (r *Replica) ApplyBatch(logs []*raft.Log) []any {
	failpoint.Hit(failpoint.EntryBeforeApply)
	r.restores = 0
	r.applying()
	responses := make([]any, len(logs))
	for i, l := range logs {
		switch l.Type {
		case raft.LogConfiguration:
			r.configured(raft.DecodeConfiguration(l.Data).Servers)
			continue
		case raft.LogCommand:
		default:
			continue
		}
		began := time.Now()
		b, err := r.entries.DecodeBatch(l.Data)
		if err != nil {
			r.halt(l, err)
		}
		b.Index = l.Index
		r.calls(b.Calls)
		if responses[i], err = r.applyEntry(b, time.Since(began)); err != nil {
			r.stop(err)
		}
		r.appliedIn(l.Index, time.Since(began))
	}
	r.entries.Forget()
	r.applied.advance(logs[len(logs)-1].Index)
	failpoint.Hit(failpoint.EntryAfterApply)
	return responses
}

// applyEntry applies an entry that took so long to decode. After an error the node must stop.
func (r *Replica) applyEntry(b fsm.Batch, decoding time.Duration) (results []fsm.Result, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.past.before(b.Index, r.state)
	version := r.state.LedgerVersion()
	results, took := r.executeLocked(b)
	r.replay += decoding + took
	r.last = b.Index
	r.learnNameLocked()
	r.learnQuotasLocked()
	if r.state.LedgerVersion() != version {
		err = r.raise(r.state.LedgerVersion(), r.state.RaisedBy())
	}
	return results, err
}

// executeLocked executes an entry and measures each of its commands; plain verifications that follow one another are measured together.
func (r *Replica) executeLocked(b fsm.Batch) (results []fsm.Result, took time.Duration) {
	began := time.Now()
	r.state.Begin(b)
	results = make([]fsm.Result, len(b.Calls))
	at := began
	for i := range b.Calls {
		c := b.Calls[i].Command
		results[i] = r.state.Execute(&b.Calls[i])
		if _, plain := c.(*fsm.VerifyKey); plain && i+1 < len(b.Calls) {
			if _, more := b.Calls[i+1].Command.(*fsm.VerifyKey); more {
				continue
			}
		}
		at = r.holds.observe(applying, c, at)
	}
	if len(b.Calls) > 1 {
		at = r.holds.observe(applying, nil, began)
	}
	return results, at.Sub(began)
}

// Replay is about how long a restart would take now to apply the log behind the last snapshot again: it is what those entries took here.
func (r *Replica) Replay() time.Duration {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.replay
}

// Apply implements raft.FSM. raft calls ApplyBatch instead.
func (r *Replica) Apply(l *raft.Log) any { return r.ApplyBatch([]*raft.Log{l})[0] }

// halt never returns: skipping a committed entry would make this node differ from the others, and raft takes no error here. The node
// fails, and the process ends while raft waits.
func (r *Replica) halt(l *raft.Log, err error) {
	kind, advice := store.KindDamaged, ""
	var version *fsm.VersionError
	switch {
	case errors.As(err, &version): // says which build to run
		kind = store.KindNewer
	case !errors.Is(err, codec.ErrDamaged): // a copy from the peers would hold it as well
		kind, advice = store.KindNewer, " by this build; run the newer creditd that wrote it"
	}
	r.stop(&store.Error{Kind: kind, Err: err,
		Message: fmt.Sprintf("log entry %d of term %d is committed and cannot be read%s", l.Index, l.Term, advice)})
}

func (r *Replica) stop(err error) {
	r.fail(err)
	select {}
}

// RequestQuota returns the workspace of a root key and how many requests per second it may make; 0: any number. Every request asks.
func (r *Replica) RequestQuota(actor fsm.Hash) (workspaceID string, perSecond int64) {
	if !r.requestQuotas.Load() {
		return "", 0
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.RequestQuota(actor)
}

// Workspace names the workspace of a root key; "": the root key is unknown here.
func (r *Replica) Workspace(actor fsm.Hash) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.WorkspaceOf(actor)
}

// learnQuotasLocked keeps whether there are quotas of requests where it can be read without the lock.
func (r *Replica) learnQuotasLocked() {
	if has := r.state.HasRequestQuotas(); has != r.requestQuotas.Load() {
		r.requestQuotas.Store(has)
	}
}

// learnNameLocked keeps the cluster id where it can be read without the lock.
func (r *Replica) learnNameLocked() {
	id := r.state.ClusterID()
	if id == "" || id == r.ClusterID() {
		return
	}
	if r.clusterID.Swap(&id) == nil {
		r.named <- id
	}
}
