package cluster

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
	"github.com/creditd/creditd/store/failpoint"
)

// machine is the raft.BatchingFSM around the ledger: it decodes entries, applies them and hands results back. It adds no rule.
//
// A committed entry that cannot be decoded ends the node, because skipping it would make it differ from the others.
type machine struct {
	log *slog.Logger
	// named is told, once, the cluster id when the ledger has one. It must not block.
	named chan<- string
	// fail reports why the node must stop.
	fail func(error)

	applied appliedIndex

	restores int // in a row, with no entry between them; raft's FSM goroutine only

	mu    sync.RWMutex
	past  checkpoints // guarded by mu
	state *fsm.State  // guarded by mu
	last  uint64      // guarded by mu: the last entry that state holds; applied follows when raft's whole batch is done
	base  string      // guarded by mu: id of the snapshot that the state's dirty set is relative to
	told  bool        // guarded by mu: whether named was told
}

func newMachine(log *slog.Logger, named chan<- string, checkpointEvery uint64) *machine {
	return &machine{log: log, named: named, fail: func(err error) { panic(err) }, state: fsm.New(), past: checkpoints{step: checkpointEvery}}
}

// checkpoints returns what is remembered of the ledger's past.
func (m *machine) checkpoints() []checkpoint {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.past.digests)
}

// view calls fn with the ledger, which it may only read.
func (m *machine) view(fn func(*fsm.State)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	fn(m.state)
}

// peek answers a call that would change nothing: see fsm.State.Peek, and PeekUndated for dating false.
func (m *machine) peek(call *fsm.Call, dating bool) (fsm.Result, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if !dating {
		return m.state.PeekUndated(call)
	}
	return m.state.Peek(call)
}

// ApplyBatch implements raft.BatchingFSM. The response to a command is a []fsm.Result.
func (m *machine) ApplyBatch(logs []*raft.Log) []any {
	failpoint.Hit(failpoint.EntryBeforeApply)
	m.restores = 0
	responses := make([]any, len(logs))
	for i, l := range logs {
		if l.Type != raft.LogCommand {
			continue
		}
		b, err := codec.DecodeBatch(l.Data)
		if err != nil {
			m.halt(l, err)
		}
		b.Index = l.Index
		m.mu.Lock()
		m.past.before(l.Index, m.state)
		responses[i] = m.state.Apply(b)
		m.last = l.Index
		m.tellNameLocked()
		m.mu.Unlock()
	}
	m.applied.advance(logs[len(logs)-1].Index)
	failpoint.Hit(failpoint.EntryAfterApply)
	return responses
}

// halt never returns: skipping a committed entry would make this node differ from the others, and raft takes no error here. The node
// fails, and the process ends while raft waits.
func (m *machine) halt(l *raft.Log, err error) {
	kind, advice := store.KindDamaged, ""
	if !errors.Is(err, codec.ErrDamaged) { // a copy from the peers would hold it as well
		kind, advice = store.KindNewer, " by this build; run the newer creditd that wrote it"
	}
	m.fail(&store.Error{Kind: kind, Err: err,
		Message: fmt.Sprintf("log entry %d of term %d is committed and cannot be read%s", l.Index, l.Term, advice)})
	select {}
}

// Apply implements raft.FSM. raft calls ApplyBatch instead.
func (m *machine) Apply(l *raft.Log) any { return m.ApplyBatch([]*raft.Log{l})[0] }

func (m *machine) tellNameLocked() {
	if id := m.state.ClusterID(); id != "" && !m.told {
		m.told = true
		m.named <- id
	}
}

// digest returns the digest of the ledger and the index at which it was taken.
func (m *machine) digest() (index uint64, d fsm.Digest) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.indexLocked(), m.state.Digest()
}

// indexLocked is the index that the state reflects: entries after the last command change nothing.
func (m *machine) indexLocked() uint64 { return max(m.last, m.applied.get()) }

// Restore implements raft.FSM: it replaces the ledger by a snapshot, as a whole or not at all.
func (m *machine) Restore(source io.ReadCloser) error {
	failpoint.Hit(failpoint.RestoreBeforeLoad)
	records, err := store.RecordsOf(source)
	if err != nil {
		return fmt.Errorf("restore snapshot: %w", err)
	}
	state, checked := records.Loaded().(*fsm.State) // by CheckSnapshot, a moment ago
	if !checked {
		state, err = loadLedger(records)
	}
	if err != nil {
		// raft would go on with the ledger as it was, on a disk that holds another; at the start it keeps the reason to itself.
		err = fmt.Errorf("restore snapshot %s: %w", records.ID(), records.Unusable(err))
		m.fail(err)
		return err
	}
	failpoint.Hit(failpoint.RestoreBeforeSwap)
	m.mu.Lock()
	m.state, m.base, m.last = state, records.ID(), records.Index()
	m.past.restart(records.Index())
	m.tellNameLocked()
	m.mu.Unlock()
	failpoint.Hit(failpoint.RestoreAfterSwap)
	m.applied.advance(records.Index())
	m.log.Info("restored a snapshot", "id", records.ID(), "records", records.Count(), "digest", state.Digest().String())
	m.watchRestores()
	return nil
}

// loadLedger makes a ledger of a snapshot's records and checks its digest and its books.
func loadLedger(records store.RecordReader) (*fsm.State, error) {
	want, err := codec.DecodeDigest(records.Digest())
	if err != nil {
		return nil, err
	}
	loader := fsm.NewLoader()
	if err := records.Records(func(key, value []byte) error {
		r, err := codec.DecodeRecord(key, value)
		if err != nil {
			return err
		}
		return loader.Add(r)
	}); err != nil {
		return nil, err
	}
	return loader.Finish(want)
}

// CheckSnapshot is the store.Options.Check of a node: what it accepts does load, and Restore takes the ledger from it.
func CheckSnapshot(records store.RecordReader) (any, error) {
	state, err := loadLedger(records)
	if err != nil {
		return nil, err
	}
	return state, nil
}

// fruitlessInstalls is how many snapshots a node takes from its leader in a row before it gives up.
const fruitlessInstalls = 3

// watchRestores ends a node that is sent one snapshot after the other and cannot follow from any of them: a log that contradicts the
// snapshot keeps it from that (hashicorp/raft#697), and a restart drops such a log. The restore of the start is one more.
func (m *machine) watchRestores() {
	if m.restores++; m.restores > fruitlessInstalls {
		m.fail(errFruitless)
	}
}

var errFruitless = fmt.Errorf("%d snapshots were installed and no log entry followed any of them: start this node again; if its log "+
	"contradicts the snapshot, that drops it", fruitlessInstalls)
