package replica

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/store"
)

// newReplica returns an empty ledger that panics where a node would stop.
func newReplica() *Replica {
	return New(Config{
		Configured: func([]raft.Server) {},
		Logger:     slog.New(slog.DiscardHandler), CheckpointEntries: 1000, Fail: func(err error) { panic(err) },
		RaiseLedgerVersion: func(uint64, string) error { return nil },
	})
}

// rig is a ledger on a disk without raft around it.
type rig struct {
	tb      testing.TB
	replica *Replica
	store   *store.Store
	index   uint64
}

func newRig(tb testing.TB) *rig {
	tb.Helper()
	s, err := store.Open(store.Options{Dir: tb.TempDir(), Reads: Reads("test")})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	r := &rig{tb: tb, replica: newReplica(), store: s}
	r.replica.raise = s.RaiseLedgerVersion
	return r
}

func (r *rig) apply(calls []fsm.Call) {
	r.tb.Helper()
	r.index++
	data := codec.AppendBatch(nil, fsm.Batch{Stamp: 1_700_000_000_000, Calls: calls})
	r.replica.Apply(&raft.Log{Index: r.index, Term: 1, Type: raft.LogCommand, Data: data})
}

func rigHash(i int) (h fsm.Hash) {
	binary.BigEndian.PutUint64(h[8:], uint64(i)+1)
	return h
}

// fill makes n keys with a balance each: two records a key.
func (r *rig) fill(n int) {
	root := fsm.Hash{1}
	r.apply([]fsm.Call{{Command: &fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_root", RootKeyHash: root}}})
	r.apply([]fsm.Call{{Actor: root, Command: &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"}}})
	var calls []fsm.Call
	for i := range n {
		calls = append(calls, fsm.Call{Actor: root, Command: &fsm.CreateKey{
			ID: "key_" + strconv.Itoa(1_000_000_000+i), Hash: rigHash(i), Start: "abcd", APIID: "api_1", Enabled: true, Expires: fsm.Never,
			Credits: fsm.NewCredits{Limited: true, Remaining: 1000},
		}})
		if len(calls) == 4096 || i == n-1 {
			r.apply(calls)
			calls = nil
		}
	}
}

// charge spends one credit of every step-th key.
func (r *rig) charge(n, step int) {
	var calls []fsm.Call
	for i := 0; i < n; i += step {
		calls = append(calls, fsm.Call{Actor: fsm.Hash{1}, Command: &fsm.VerifyKey{Hash: rigHash(i), Cost: 1}})
	}
	r.apply(calls)
}

func (r *rig) snapshot() {
	r.tb.Helper()
	snap, err := r.replica.Snapshot()
	require.NoError(r.tb, err)
	defer snap.Release()
	sink, err := r.snapshots().Create(1, r.index, 1, raft.Configuration{}, 1, nil)
	require.NoError(r.tb, err)
	require.NoError(r.tb, snap.Persist(sink))
}

// snapshots is the store that raft would be given.
func (r *rig) snapshots() raft.SnapshotStore { return r.replica.Snapshots(r.store.Snapshots()) }

func (r *rig) restore() *Replica {
	r.tb.Helper()
	to := newReplica()
	r.restoreInto(to)
	return to
}

func (r *rig) restoreInto(to *Replica) {
	r.tb.Helper()
	list, err := r.snapshots().List()
	require.NoError(r.tb, err)
	require.Len(r.tb, list, 1)
	_, source, err := r.snapshots().Open(list[0].ID)
	require.NoError(r.tb, err)
	defer func() { require.NoError(r.tb, source.Close()) }()
	require.NoError(r.tb, to.Restore(source))
}

// The cost of a snapshot follows the change, not the total: with 1 % of the records changed about 1 % are written.
func TestSnapshot_WritesOnlyWhatChanged(t *testing.T) {
	const keys = 20_000
	r := newRig(t)
	r.fill(keys)
	r.snapshot()
	total := r.store.Stats().SnapshotRecords
	require.Greater(t, total, 2*keys)
	r.charge(keys, 100)
	r.snapshot()
	// Each charged key changed its balance and its lastUsedAt; the ledger's own record always changes.
	require.Equal(t, 2*keys/100+1, r.store.Stats().SnapshotWritten)
	require.Equal(t, total, r.store.Stats().SnapshotRecords)

	restored := r.restore()
	_, want := r.replica.Digest()
	_, got := restored.Digest()
	require.Equal(t, want, got)
	require.Equal(t, r.index, restored.applied.get())
}

// countedPace counts how often work might rest.
type countedPace struct {
	breaths int
	worked  time.Duration
	rests   int
}

func (p *countedPace) Breathe()                  { p.breaths++ }
func (p *countedPace) Rest(worked time.Duration) { p.worked += worked; p.rests++ }

// A snapshot may rest between any few records. So may a copy for another node, whatever that one takes.
func TestSnapshot_RestsAfterEachPieceOfWork(t *testing.T) {
	r := newRig(t)
	r.fill(20_000)
	var p countedPace
	r.replica.pace = func() Pace { return &p }
	r.snapshot()
	require.Greater(t, p.breaths, 20_000/100)
	require.Zero(t, p.rests)

	list, err := r.snapshots().List()
	require.NoError(t, err)
	meta, reader, err := r.snapshots().Open(list[0].ID)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, reader)
	require.NoError(t, err)
	require.Equal(t, meta.Size, n)
	require.NoError(t, reader.Close())
	require.GreaterOrEqual(t, p.rests, int(n)>>20)
	require.Positive(t, p.worked)
}

// A debit during the writing of a snapshot belongs to the next snapshot.
func TestSnapshot_IsOfTheMomentItWasTaken(t *testing.T) {
	r := newRig(t)
	r.fill(1000)
	_, want := r.replica.Digest()
	snap, err := r.replica.Snapshot()
	require.NoError(t, err)
	sink, err := r.snapshots().Create(1, r.index, 1, raft.Configuration{}, 1, nil)
	require.NoError(t, err)
	r.charge(1000, 1)
	require.NoError(t, snap.Persist(sink))
	snap.Release()
	_, got := r.restore().Digest()
	require.Equal(t, want, got)

	r.snapshot()
	_, want = r.replica.Digest()
	_, got = r.restore().Digest()
	require.Equal(t, want, got)
}

// A snapshot that failed loses nothing: its records are written with the next one.
func TestSnapshot_KeepsWhatAFailedOneDidNotSave(t *testing.T) {
	r := newRig(t)
	r.fill(1000)
	snap, err := r.replica.Snapshot()
	require.NoError(t, err)
	snap.Release() // raft may never call Persist
	r.charge(1000, 7)
	r.snapshot()
	_, want := r.replica.Digest()
	_, got := r.restore().Digest()
	require.Equal(t, want, got)
}

// send installs the snapshot of one rig at another, as raft does.
func (r *rig) send(to *rig) error {
	r.tb.Helper()
	return r.copyTo(to.snapshots()).Close()
}

// copyTo returns the sink that holds the whole snapshot, not closed yet.
func (r *rig) copyTo(to raft.SnapshotStore) raft.SnapshotSink {
	r.tb.Helper()
	list, err := r.snapshots().List()
	require.NoError(r.tb, err)
	meta, source, err := r.snapshots().Open(list[0].ID)
	require.NoError(r.tb, err)
	defer func() { require.NoError(r.tb, source.Close()) }()
	sink, err := to.Create(1, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	require.NoError(r.tb, err)
	_, err = io.Copy(sink, source)
	require.NoError(r.tb, err)
	return sink
}

// A received snapshot with a wrong digest or wrong totals is refused, and the old snapshot stays on disk.
func TestSnapshot_ACopyThatDoesNotLoadIsRefused(t *testing.T) {
	sender, receiver := newRig(t), newRig(t)
	sender.fill(10)
	sender.snapshot()
	require.NoError(t, sender.send(receiver))
	_, want := receiver.restore().Digest()

	sender.index++
	sink, err := sender.snapshots().Create(1, sender.index, 1, raft.Configuration{}, 1, nil)
	require.NoError(t, err)
	sink.(store.SnapshotSink).SetLedger(store.Ledger{Digest: codec.AppendDigest(nil, fsm.New().Digest())})
	require.NoError(t, sink.Close())
	require.ErrorContains(t, sender.send(receiver), "digest is")
	_, got := receiver.restore().Digest()
	require.Equal(t, want, got)
}

// After a failed restore raft continues with a ledger that is not the one on disk. The node must stop.
func TestSnapshot_ThatDoesNotLoadEndsTheNode(t *testing.T) {
	r := newRig(t)
	r.fill(10)
	sink, err := r.snapshots().Create(1, r.index, 1, raft.Configuration{}, 1, nil)
	require.NoError(t, err)
	sink.(store.SnapshotSink).SetLedger(store.Ledger{Digest: codec.AppendDigest(nil, fsm.New().Digest())})
	require.NoError(t, sink.Close())
	_, source, err := r.snapshots().Open(sink.ID())
	require.NoError(t, err)
	defer func() { require.NoError(t, source.Close()) }()
	var failed error
	r.replica.fail = func(err error) { failed = err }
	_, want := r.replica.Digest()
	require.Error(t, r.replica.Restore(source))
	require.Equal(t, store.KindDamaged, store.KindOf(failed), failed)
	require.ErrorContains(t, failed, "state.db")
	_, got := r.replica.Digest()
	require.Equal(t, want, got)
}

// The ledger that was loaded for the check is the one that is restored: a million records are not decoded twice. Nothing stays of a
// snapshot that was not installed.
func TestSnapshot_ACopyIsLoadedOnce(t *testing.T) {
	sender, receiver := newRig(t), newRig(t)
	sender.fill(10)
	sender.snapshot()
	require.NoError(t, sender.send(receiver))
	checked := receiver.replica.copied.state
	require.NotNil(t, checked)
	receiver.restoreInto(receiver.replica)
	require.Same(t, checked, receiver.replica.state)
	require.Nil(t, receiver.replica.copied.state)

	sender.charge(10, 1)
	sender.snapshot()
	sink := sender.copyTo(receiver.snapshots())
	receiver.index = sender.index
	receiver.charge(10, 1)
	receiver.snapshot() // a newer one is taken meanwhile
	require.Equal(t, store.KindStale, store.KindOf(sink.Close()))
	require.Nil(t, receiver.replica.copied.state)
}

// A ledger that was loaded while the directory was opened is the one that is restored, once. One that was loaded of another snapshot is not.
func TestSnapshot_APreloadedLedgerIsLoadedOnce(t *testing.T) {
	r := newRig(t)
	r.fill(10)
	r.snapshot()
	_, want := r.replica.Digest()
	preload := func() *Preloaded {
		_, source, err := r.snapshots().Open(r.replica.base)
		require.NoError(t, err)
		defer func() { require.NoError(t, source.Close()) }()
		records, err := store.RecordsOf(source)
		require.NoError(t, err)
		var p Preloaded
		p.Load(records)
		require.NotNil(t, p.state)
		return &p
	}
	to := newReplica()
	to.preloaded = preload()
	loaded := to.preloaded.state
	r.restoreInto(to)
	require.Same(t, loaded, to.state)
	require.Nil(t, to.preloaded)
	_, got := to.Digest()
	require.Equal(t, want, got)
	r.restoreInto(to)
	require.NotSame(t, loaded, to.state)

	stale := preload()
	r.charge(10, 1)
	r.snapshot()
	to = newReplica()
	to.preloaded = stale
	r.restoreInto(to)
	_, want = r.replica.Digest()
	_, got = to.Digest()
	require.Equal(t, want, got)
}

// BenchmarkReceive receives a snapshot of a million records, with and without the check.
func BenchmarkReceive(b *testing.B) {
	sender := newRig(b)
	sender.fill(500_000)
	sender.snapshot()
	for _, checked := range []bool{true, false} {
		b.Run(fmt.Sprintf("checked=%t", checked), func(b *testing.B) {
			for b.Loop() {
				s, err := store.Open(store.Options{Dir: b.TempDir(), Reads: Reads("test")})
				require.NoError(b, err)
				snapshots := s.Snapshots()
				if checked {
					snapshots = newReplica().Snapshots(snapshots)
				}
				require.NoError(b, sender.copyTo(snapshots).Close())
				require.NoError(b, s.Close())
			}
			b.ReportMetric(float64(sender.store.Stats().SnapshotRecords), "records")
		})
	}
}

// nowhere is a sink that drops what it is given.
type nowhere struct {
	store.SnapshotSink
	records int
}

func (*nowhere) Base() string           { return "" }
func (*nowhere) Pace(func())            {}
func (*nowhere) SetLedger(store.Ledger) {}

func (n *nowhere) Put(_, _ []byte) error {
	n.records++
	return nil
}

// A snapshot of many records makes no garbage for each: the collector would take the CPU of those that it disturbs.
func TestCapture_AllocatesNextToNothing(t *testing.T) {
	r := newRig(t)
	r.fill(20_000)
	var sink nowhere
	allocs := testing.AllocsPerRun(1, func() {
		snap, err := r.replica.Snapshot()
		require.NoError(t, err)
		sink.records = 0
		require.NoError(t, snap.(*capture).write(&sink))
		snap.Release() // not saved: all is changed again
	})
	require.Greater(t, sink.records, 60_000)
	require.Less(t, allocs, float64(sink.records)/20)
}

// BenchmarkSnapshotOfMany saves a million records, all of which changed, and reports what the snapshot allocates and the CPU time that it takes.
func BenchmarkSnapshotOfMany(b *testing.B) {
	const keys = 500_000 // each with a credit record
	r := newRig(b)
	r.fill(keys)
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b.StartTimer()
		snap, err := r.replica.Snapshot()
		require.NoError(b, err)
		sink, err := r.snapshots().Create(1, r.index, 1, raft.Configuration{}, 1, nil)
		require.NoError(b, err)
		captured := snap.(*capture)
		require.NoError(b, captured.write(sink))
		var written runtime.MemStats
		runtime.ReadMemStats(&written)
		require.NoError(b, sink.Close())
		runtime.ReadMemStats(&after)
		captured.Release() // not saved: all is changed again
		records := float64(2 * keys)
		b.ReportMetric(float64(written.Mallocs-before.Mallocs)/records, "captured-allocs/record")
		b.ReportMetric(float64(written.TotalAlloc-before.TotalAlloc)/records, "captured-bytes/record")
		b.ReportMetric(float64(after.TotalAlloc-written.TotalAlloc)/records, "written-bytes/record")
		b.StopTimer()
		require.NoError(b, r.store.Close())
		r.store, err = store.Open(store.Options{Dir: b.TempDir(), Reads: Reads("test")})
		require.NoError(b, err)
		b.StartTimer()
	}
}

// BenchmarkSnapshot saves 1 % of a million keys with balances and reports the pause that charges see.
func BenchmarkSnapshot(b *testing.B) {
	const keys = 1_000_000
	r := newRig(b)
	r.fill(keys)
	r.snapshot()
	var frozen time.Duration
	for b.Loop() {
		b.StopTimer()
		r.charge(keys, 100)
		b.StartTimer()
		began := time.Now()
		snap, err := r.replica.Snapshot()
		frozen = max(frozen, time.Since(began))
		require.NoError(b, err)
		sink, err := r.snapshots().Create(1, r.index, 1, raft.Configuration{}, 1, nil)
		require.NoError(b, err)
		require.NoError(b, snap.Persist(sink))
		snap.Release()
	}
	stats := r.store.Stats()
	b.ReportMetric(float64(stats.SnapshotWritten), "records-written")
	b.ReportMetric(float64(stats.SnapshotRecords), "records")
	b.ReportMetric(float64(frozen.Microseconds()), "freeze-µs")
}
