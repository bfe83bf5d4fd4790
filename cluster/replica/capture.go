package replica

import (
	"fmt"
	"time"

	"github.com/hashicorp/raft"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
	"github.com/creditd/creditd/store/failpoint"
)

// captureStep is how many records are copied under the ledger's lock at a time: some tens of microseconds.
const captureStep = 256

// capture is one snapshot under way: what changed since the previous one.
type capture struct {
	replica *Replica
	state   *fsm.State // the ledger that was frozen; a restore may replace the replica's
	frozen  *fsm.Frozen
	base    string
	replay  time.Duration // what the entries behind the previous snapshot took until the ledger was frozen
	saved   bool
}

// Snapshot implements raft.FSM. It only freezes; Persist does the work while entries go on being applied.
func (r *Replica) Snapshot() (raft.FSMSnapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer failpoint.Hit(failpoint.SnapshotCaptured)
	return &capture{replica: r, state: r.state, frozen: r.state.Freeze(), base: r.base, replay: r.replay}, nil
}

// Persist writes the changed records into the sink, which adds them to state.db in one transaction.
func (c *capture) Persist(sink raft.SnapshotSink) error {
	if err := c.write(sink); err != nil {
		if cancelled := sink.Cancel(); cancelled != nil {
			return fmt.Errorf("persist snapshot: %w (and cancel: %w)", err, cancelled)
		}
		return fmt.Errorf("persist snapshot: %w", err)
	}
	if err := sink.Close(); err != nil {
		return fmt.Errorf("persist snapshot: %w", err)
	}
	failpoint.Hit(failpoint.SnapshotPersisted)
	c.saved = true
	c.replica.mu.Lock()
	defer c.replica.mu.Unlock()
	if c.replica.state == c.state {
		c.replica.base = sink.ID()
		c.replica.replay -= c.replay
	}
	return nil
}

func (c *capture) write(sink raft.SnapshotSink) error {
	s, ok := sink.(store.SnapshotSink)
	if !ok {
		return fmt.Errorf("the sink is a %T, not one of package store", sink)
	}
	// What changed makes sense only on top of the snapshot it was counted from. They differ when a snapshot was installed since the
	// ledger was frozen; the next one will do.
	if s.Base() != c.base {
		return fmt.Errorf("the changes are relative to snapshot %q, but the present one is %q", c.base, s.Base())
	}
	s.Pace(c.replica.pace().Breathe)
	s.SetLedger(store.Ledger{
		Digest: codec.AppendDigest(nil, c.frozen.Digest), DigestDefinition: fsm.DigestDefinition,
		Version: c.frozen.Version, Build: c.frozen.RaisedBy,
	})
	var encoder codec.RecordEncoder
	var key, value []byte
	var changes []fsm.Change
	for done := false; !done; {
		changes, done = c.next(changes)
		for _, ch := range changes {
			if ch.Record == nil {
				key = codec.AppendRecordKey(key[:0], ch.Removed)
				if err := s.Delete(key); err != nil {
					return err
				}
				continue
			}
			key = codec.AppendKeyOf(key[:0], ch.Record)
			value = encoder.Append(value[:0], ch.Record)
			if err := s.Put(key, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// next returns more changes, in the memory of the last ones.
func (c *capture) next(spent []fsm.Change) (changes []fsm.Change, done bool) {
	c.replica.mu.Lock()
	defer c.replica.mu.Unlock()
	return c.frozen.Next(captureStep, spent), c.frozen.Done()
}

// Release implements raft.FSMSnapshot. raft always calls it, and Persist not always.
func (c *capture) Release() {
	c.replica.mu.Lock()
	defer c.replica.mu.Unlock()
	c.frozen.Release(c.saved)
}

// ContinueAs gives the ledger another cluster id: see fsm.State. Only a stopped node may do this.
func (r *Replica) ContinueAs(clusterID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.ContinueAs(clusterID)
	r.learnNameLocked()
}
