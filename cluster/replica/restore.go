package replica

import (
	"errors"
	"fmt"
	"io"

	"github.com/creditd/creditd/store"
	"github.com/creditd/creditd/store/failpoint"
)

// Restore implements raft.FSM: it replaces the ledger by a snapshot, as a whole or not at all.
func (r *Replica) Restore(source io.ReadCloser) error {
	failpoint.Hit(failpoint.RestoreBeforeLoad)
	records, err := store.RecordsOf(source)
	if err != nil {
		return fmt.Errorf("restore snapshot: %w", err)
	}
	state := r.copied.take(records.ID())
	if state == nil && r.preloaded != nil {
		state = r.preloaded.take(records.ID())
	}
	r.preloaded = nil
	if state == nil {
		state, err = load(records)
	}
	if err == nil {
		err = r.raise(state.LedgerVersion(), state.RaisedBy())
	}
	if err != nil {
		// raft would go on with the old ledger over a disk that holds another one. At the start it does not report the reason.
		err = fmt.Errorf("restore snapshot %s: %w", records.ID(), records.Unusable(err))
		r.fail(err)
		return err
	}
	failpoint.Hit(failpoint.RestoreBeforeSwap)
	state.LimitWindows(r.most)
	r.mu.Lock()
	r.state, r.base, r.last, r.replay = state, records.ID(), records.Index(), 0
	r.past.restart(records.Index())
	r.learnNameLocked()
	r.learnQuotasLocked()
	r.mu.Unlock()
	failpoint.Hit(failpoint.RestoreAfterSwap)
	r.applied.advance(records.Index())
	r.log.Info("restored a snapshot", "id", records.ID(), "records", records.Count(), "digest", state.Digest().String())
	r.restored.Add(1)
	r.countRestore()
	return nil
}

// Restored returns how many snapshots were restored since the start: the node's own, and those of leaders.
func (r *Replica) Restored() uint64 { return r.restored.Load() }

// maxRestores is how many snapshots a node installs in a row before it gives up.
const maxRestores = 3

// countRestore ends a node that installs one snapshot after the other and cannot follow from any of them. A log that contradicts the
// snapshot causes this (hashicorp/raft#697); a restart drops such a log. The restore at the start is one more.
func (r *Replica) countRestore() {
	if r.restores++; r.restores > maxRestores {
		r.fail(errRestores)
	}
}

var errRestores = errors.New("three snapshots were installed in a row, and no log entry followed any of them; start this node again: " +
	"if its log contradicts the snapshot, the start drops that log")
