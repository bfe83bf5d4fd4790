package replica

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// raft applies many entries at once. A reader between two of them must not get an index older than the state it saw. With that index as
// Creditd-Min-Index it might see less on another node. Found by the replay of a fault run (seed 5000).
func TestReplica_ReadersAreToldTheIndexOfWhatTheySee(t *testing.T) {
	m := newReplica()
	founding := codec.AppendBatch(nil, fsm.Batch{Stamp: 1, Calls: []fsm.Call{{Command: &fsm.Bootstrap{
		ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_root", RootKeyHash: fsm.Hash{1},
	}}}})
	// The second entry cannot be read and stops the batch.
	require.Panics(t, func() {
		m.ApplyBatch([]*raft.Log{
			{Index: 7, Type: raft.LogCommand, Data: founding},
			{Index: 8, Type: raft.LogCommand, Data: []byte("damage")},
		})
	})
	index, digest := m.Digest()
	require.NotEqual(t, fsm.New().Digest(), digest)
	require.Equal(t, uint64(7), index)
	m.ApplyBatch([]*raft.Log{{Index: 9, Type: raft.LogNoop}})
	index, _ = m.Digest()
	require.Equal(t, uint64(9), index)
}

// Rebuilding a node that is too old does not help: it gets the same entry again.
func TestReplica_KnowsAnotherVersionFromDamage(t *testing.T) {
	version9 := binary.LittleEndian.AppendUint32([]byte{9}, crc32.Checksum([]byte{9}, crc32.MakeTable(crc32.Castagnoli)))
	for name, test := range map[string]struct {
		data    []byte
		kind    store.Kind
		rebuild bool
	}{
		"version": {version9, store.KindNewer, false},
		"bit":     {append([]byte{1}, version9[1:]...), store.KindDamaged, true},
		"cut":     {version9[:3], store.KindDamaged, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newReplica()
			var failed error
			m.fail = func(err error) { failed = err; panic(err) } // or it would wait for the end of the process
			require.Panics(t, func() { m.ApplyBatch([]*raft.Log{{Index: 7, Term: 3, Type: raft.LogCommand, Data: test.data}}) })
			require.Equal(t, test.kind, store.KindOf(failed), failed)
			require.Equal(t, test.rebuild, store.NeedsRebuild(failed))
			require.ErrorContains(t, failed, "log entry 7 of term 3")
			if !test.rebuild {
				require.ErrorContains(t, failed, "version is 9, this build reads 1")
				require.ErrorContains(t, failed, "run the newer creditd")
			}
		})
	}
}

// A follower that installs one snapshot after the other without progress must be restarted: the start drops the log that is in the way.
func TestReplica_GivesUpAfterFruitlessInstalls(t *testing.T) {
	r := newRig(t)
	r.fill(10)
	r.snapshot()
	var failed []error
	r.replica.fail = func(err error) { failed = append(failed, err) }
	install := func() { r.restoreInto(r.replica) }
	for range 10 { // each is followed by entries
		install()
		install()
		r.charge(10, 1)
	}
	require.Empty(t, failed)
	install() // of the start
	for range maxRestores - 1 {
		install()
	}
	require.Empty(t, failed)
	install()
	require.ErrorIs(t, failed[0], errRestores)
}

// The directory names a ledger version before anybody can see that the ledger has it, and a node that cannot write it stops.
func TestReplica_RecordsTheLedgerVersionBeforeItShows(t *testing.T) {
	raise := func(version uint64) []fsm.Call {
		return []fsm.Call{{Command: &fsm.RaiseLedgerVersion{Version: version, Build: "v1.2.0"}}}
	}
	r := newRig(t)
	r.fill(1)
	var recorded []uint64
	r.replica.raise = func(version uint64, build string) error {
		require.False(t, r.replica.mu.TryRLock(), "a reader may see the version")
		require.Equal(t, "v1.2.0", build)
		recorded = append(recorded, version)
		return r.store.RaiseLedgerVersion(version, build)
	}
	r.apply(raise(1))
	require.Empty(t, recorded)
	r.apply(raise(2))
	r.apply(raise(2))
	require.Equal(t, []uint64{2}, recorded)
	version, build := r.store.LedgerVersion()
	require.EqualValues(t, 2, version)
	require.Equal(t, "v1.2.0", build)

	full := newRig(t)
	full.replica.raise = func(uint64, string) error { return errors.New("the disk is full") }
	require.PanicsWithError(t, "the disk is full", func() { full.apply(raise(2)) })
}

// A node that is behind learns the version from a snapshot. Its directory names it before the snapshot is there.
func TestReplica_RecordsTheLedgerVersionOfASnapshot(t *testing.T) {
	sender, receiver := newRig(t), newRig(t)
	sender.fill(10)
	sender.apply([]fsm.Call{{Command: &fsm.RaiseLedgerVersion{Version: 2, Build: "v1.2.0"}}})
	sender.snapshot()
	require.NoError(t, sender.send(receiver))
	version, build := receiver.store.LedgerVersion()
	require.EqualValues(t, 2, version)
	require.Equal(t, "v1.2.0", build)
	require.EqualValues(t, 2, receiver.restore().state.LedgerVersion())
}
