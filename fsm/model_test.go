package fsm_test

import (
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
	"github.com/creditd/creditd/fsm/fsmtest"
)

var (
	modelSeed = flag.Uint64("model.seed", 0, "run only the model test's sequence of this seed (or CREDITD_MODEL_SEED)")
	modelRuns = flag.Int("model.runs", 60, "sequences of the model test")
)

const modelBatches = 220

// The ledger and the reference model agree on every answer, whatever happens in between: snapshots that are saved or cancelled, restarts
// from them, replay of the log. All of contract 1.3, 1.12, 1.13, 2.2 to 2.4, 3 and 4.
func TestModel_AgreesOnRandomHistories(t *testing.T) {
	if s := os.Getenv("CREDITD_MODEL_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		*modelSeed = n
	}
	if *modelSeed != 0 {
		runModel(t, *modelSeed)
		return
	}
	runs := *modelRuns
	if testing.Short() {
		runs /= 10
	}
	for n := range runs {
		seed := uint64(n + 1)
		if n >= runs/2 { // half of them new in every run
			seed = rand.Uint64()
		}
		runModel(t, seed)
	}
}

// history is one run: the ledger, the reference model, and all that a node keeps on disk.
type history struct {
	t        *testing.T
	rng      *rand.Rand
	gen      *fsmtest.Generator
	nodes    *fsmtest.Senders
	index    uint64 // of the last entry
	capacity uint64 // for outcomes, in that entry
	model    *fsmtest.Model
	live     *fsm.State

	store  map[string][]byte // the snapshot file: record key to record
	digest fsm.Digest        // stored with it
	saved  bool              // whether there is one
	log    [][]byte          // batches since the snapshot in store
	// coder uses its memory again, as a node's does: the ledger must keep nothing of an entry.
	coder codec.Coder

	colliding bool // names share words in lookups

	frozen *fsm.Frozen  // a snapshot under way
	staged []staged     // what it yielded so far
	spent  []fsm.Change // their memory is used again
	behind int          // length of log when it was frozen
}

type staged struct {
	key   string
	value []byte // nil: removed
}

func runModel(t *testing.T, seed uint64) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: go test ./fsm -run TestModel -model.seed=%d", seed)
			panic(p)
		}
		if t.Failed() {
			t.Logf("to repeat: go test ./fsm -run TestModel -model.seed=%d", seed)
		}
	}()
	h := &history{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), gen: fsmtest.NewGenerator(seed),
		model: fsmtest.NewModel(), live: fsm.New(), store: map[string][]byte{},
	}
	if h.colliding = seed%5 == 0; h.colliding {
		h.live.ShareWords()
	}
	h.gen.ReuseIDs = true
	h.nodes = fsmtest.NewSenders(seed)
	for _, b := range h.gen.Setup() {
		h.apply(b)
	}
	if seed%2 == 0 { // the newest rules from the beginning
		h.raiseTo(fsm.NewestLedgerVersion)
	}
	for range modelBatches {
		h.apply(h.nodes.Send(h.gen.Next()))
		for range h.rng.IntN(3) {
			h.ask(h.live, h.gen.Query())
		}
		if h.rng.IntN(3) == 0 {
			h.peek(h.gen.Call())
		}
		if h.rng.IntN(40) == 0 {
			h.raise()
		}
		h.beside()
		h.snapshot()
		if h.saved && h.rng.IntN(60) == 0 {
			h.restart()
		}
	}
	h.askAll(h.live)
}

var usedByAll = &fsm.ListWorkspaces{Page: fsm.Page{Limit: 1 << 30}}

// apply sends a batch through the log: as bytes.
func (h *history) apply(b fsm.Batch) []fsm.Result {
	h.t.Helper()
	entry := codec.AppendBatch(nil, b)
	decoded, err := h.coder.DecodeBatch(entry)
	require.NoError(h.t, err)
	require.Equal(h.t, entry, codec.AppendBatch(nil, decoded))
	h.index++
	decoded.Index, h.capacity = h.index, b.IdempotencyMaxKeys
	h.log = append(h.log, entry)
	want := h.model.Apply(decoded)
	got := h.live.Apply(decoded)
	require.Len(h.t, got, len(want))
	for i := range want {
		h.same(want[i], got[i], b.Calls[i].Command)
	}
	require.NoError(h.t, h.live.CheckInvariants())
	require.Equal(h.t, h.model.Clock(), h.live.Clock())
	require.Equal(h.t, h.model.Debited(), h.live.Stats().Totals.Debited)
	h.ask(h.live, fsmtest.QueryCase{Actor: fsmtest.Root, Query: usedByAll}) // what is removed shows nowhere else
	return got
}

// raise raises the ledger version, or sends an entry that is too late to.
func (h *history) raise() {
	h.t.Helper()
	before := h.live.LedgerVersion()
	h.raiseTo(1 + h.rng.Uint64N(fsm.NewestLedgerVersion))
	require.GreaterOrEqual(h.t, h.live.LedgerVersion(), before)
}

func (h *history) raiseTo(version uint64) {
	h.t.Helper()
	before := h.live.LedgerVersion()
	raise := fsm.Call{Command: &fsm.RaiseLedgerVersion{Version: version, Build: "v1.2.3"}}
	h.apply(fsm.Batch{Stamp: h.live.Clock(), IdempotencyMaxKeys: h.capacity, Calls: []fsm.Call{raise}})
	require.Equal(h.t, max(before, version), h.live.LedgerVersion())
}

// What the build for tests of upgrades adds: nothing without the tag nextversion.
var (
	besides = func(*history) {}                              // sends commands that came with its version
	plainly = func(v *fsm.Verdict) *fsm.Verdict { return v } // removes from an answer what came with its version
)

func (h *history) beside() {
	h.t.Helper()
	besides(h)
}

// same compares an answer, and its encoding, with those of the reference model. What a refusal says to people is free.
func (h *history) same(want, got fsm.Result, of any) {
	if replayed, ok := got.(*fsm.Retransmitted); ok {
		require.IsType(h.t, want, got, "the answer to %T %+v", of, of)
		require.Equal(h.t, want.(*fsm.Retransmitted).Index, replayed.Index)
		want, got = want.(*fsm.Retransmitted).Result, replayed.Result
	}
	decoded, err := codec.DecodeResult(codec.AppendResult(nil, got))
	require.NoError(h.t, err)
	require.Equal(h.t, got, decoded)
	got = undetailed(got)
	if !reflect.DeepEqual(want, got) {
		require.Equal(h.t, want, got, "the answer to %T %+v", of, of)
	}
}

// undetailed is an answer without what it says to people.
func undetailed(r fsm.Result) fsm.Result {
	switch r := r.(type) {
	case *fsm.Refusal:
		plain := *r
		plain.Detail = ""
		return &plain
	case *fsm.Workspaces: // who counts the windows may differ between nodes
		plain := fsm.Workspaces{List: slices.Clone(r.List), Next: r.Next}
		for i := range plain.List {
			plain.List[i].Used[fsm.WindowsQuota] = 0
		}
		return &plain
	case *fsm.Verdict:
		return plainly(r)
	case *fsm.Preview:
		return &fsm.Preview{Verdict: *plainly(&r.Verdict), Payers: r.Payers}
	case *fsm.IdempotentReplay:
		return &fsm.IdempotentReplay{Result: undetailed(r.Result), Index: r.Index}
	case *fsm.Verdicts:
		plain := fsm.Verdicts{Passed: r.Passed}
		for _, item := range r.Results {
			plain.Results = append(plain.Results, undetailed(item))
		}
		return &plain
	}
	return r
}

func (h *history) ask(s *fsm.State, q fsmtest.QueryCase) {
	before := s.Digest()
	h.same(h.model.Answer(q.Actor, q.Query), s.Answer(q.Actor, q.Query), q.Query)
	require.Equal(h.t, before, s.Digest(), "a query changed the ledger")
}

func (h *history) askAll(s *fsm.State) {
	h.t.Helper()
	for _, q := range h.gen.Queries() {
		h.ask(s, q)
	}
}

// peek checks that an answer without a log entry is the one that the entry would have had, and that the entry changes nothing. A call that
// needs an entry is not refused: whoever may change nothing must not fill the log.
func (h *history) peek(call fsm.Call) {
	h.t.Helper()
	before, stats := h.live.Digest(), h.live.Stats()
	result, ok := h.live.Peek(&call)
	require.Equal(h.t, before, h.live.Digest(), "Peek changed the ledger")
	if !ok {
		require.Nil(h.t, result)
		got := h.apply(fsm.Batch{Stamp: h.live.Clock(), IdempotencyMaxKeys: h.capacity, Calls: []fsm.Call{call}})[0]
		_, limits := call.Command.(*fsm.ConsumeRatelimits) // whose caller draws another id
		require.False(h.t, refused(got) && !storeFull(got) && !limits, "%T %+v was refused by the log: %+v", call.Command, call.Command, got)
		return
	}
	want := h.model.Apply(fsm.Batch{Stamp: h.model.Clock(), IdempotencyMaxKeys: h.capacity, Calls: []fsm.Call{call}})[0]
	if !storeFull(want) || !refused(result) { // after a restart, the capacity comes with the first call that needs it
		h.same(want, result, call.Command)
	}
	h.apply(fsm.Batch{Stamp: h.live.Clock(), IdempotencyMaxKeys: h.capacity, Calls: []fsm.Call{call}})
	require.Equal(h.t, before, h.live.Digest(), "%T %+v was answered by Peek but changes the ledger", call.Command, call.Command)
	require.Equal(h.t, stats, h.live.Stats())
}

func refused(r fsm.Result) bool {
	_, is := r.(*fsm.Refusal)
	return is
}

func storeFull(r fsm.Result) bool {
	refusal, is := r.(*fsm.Refusal)
	return is && (refusal.Code == fsm.IdempotencyStoreFull || refusal.Code == fsm.QuotaExceeded)
}

// snapshot begins one, reads on in it, or ends it.
func (h *history) snapshot() {
	h.t.Helper()
	if h.frozen == nil {
		if h.rng.IntN(12) == 0 {
			h.frozen, h.behind, h.staged = h.live.Freeze(), len(h.log), nil
			require.Equal(h.t, h.live.Digest(), h.frozen.Digest)
		}
		return
	}
	if h.rng.IntN(20) == 0 { // the disk is full
		h.frozen.Release(false)
		h.frozen = nil
		return
	}
	changes := h.frozen.Next(1+h.rng.IntN(25), h.spent)
	h.spent = changes
	for _, c := range changes {
		s := staged{key: string(codec.AppendRecordKey(nil, c.Name()))}
		if c.Record != nil {
			s.value = codec.AppendRecord(nil, c.Record)
			decoded, err := codec.DecodeRecord([]byte(s.key), s.value)
			require.NoError(h.t, err)
			require.Equal(h.t, s.value, codec.AppendRecord(nil, decoded))
		}
		h.staged = append(h.staged, s)
	}
	if h.frozen.Done() {
		h.save()
	}
}

// save writes what the snapshot yielded, then checks that the file together with the rest of the log is the ledger.
func (h *history) save() {
	h.t.Helper()
	require.Len(h.t, h.staged, h.frozen.Len)
	seen := map[string]bool{}
	for _, s := range h.staged {
		require.False(h.t, seen[s.key], "%q is not in a snapshot for the last time", s.key)
		seen[s.key] = s.value != nil
		if s.value == nil {
			delete(h.store, s.key)
		} else {
			h.store[s.key] = s.value
		}
	}
	h.digest, h.saved = h.frozen.Digest, true
	clock := h.frozen.Clock
	h.frozen.Release(true)
	h.frozen = nil
	h.log = slices.Clone(h.log[h.behind:])
	require.Equal(h.t, clock, h.load().Clock())
	h.askAll(h.restored())
}

// load reads the snapshot file back.
func (h *history) load() *fsm.State {
	h.t.Helper()
	l := fsm.NewLoader()
	if h.colliding {
		l.ShareWords()
	}
	for _, name := range slices.Sorted(maps.Keys(h.store)) {
		r, err := codec.DecodeRecord([]byte(name), h.store[name])
		require.NoError(h.t, err)
		require.NoError(h.t, l.Add(r))
	}
	s, err := l.Finish(h.digest)
	require.NoError(h.t, err)
	require.Equal(h.t, 0, s.Stats().DirtyRecords)
	return s
}

// restored is what a node is after a restart: the snapshot and the log after it.
func (h *history) restored() *fsm.State {
	h.t.Helper()
	s := h.load()
	for i, entry := range h.log {
		b, err := codec.DecodeBatch(entry)
		require.NoError(h.t, err)
		b.Index = h.index - uint64(len(h.log)-1-i)
		s.Apply(b)
	}
	require.Equal(h.t, h.live.Digest(), s.Digest())
	require.Equal(h.t, h.live.Clock(), s.Clock())
	live, again := h.live.Stats(), s.Stats()
	live.DirtyRecords, again.DirtyRecords = 0, 0
	require.Equal(h.t, live, again)
	return s
}

// restart goes on with the restored ledger. A snapshot that was under way is lost.
func (h *history) restart() {
	h.t.Helper()
	h.live = h.restored()
	h.frozen = nil
}
