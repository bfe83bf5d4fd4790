package fsm_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

const dayMillis = 86_400_000

func idempotencyOf(name int) *fsm.Idempotency {
	o := &fsm.Idempotency{Fingerprint: fsm.ShortHash{1}}
	binary.LittleEndian.PutUint64(o.Key[:], uint64(name)*0x9e3779b97f4a7c15) // in no order
	return o
}

// idempotentCalls are charges of the key {'k'} under the names from first on.
func idempotentCalls(first, n int) []fsm.Call {
	calls := make([]fsm.Call, n)
	for i := range calls {
		calls[i] = fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}, Idempotency: idempotencyOf(first + i)}
	}
	return calls
}

func newChargeable(t testing.TB) *fsm.State {
	s := newLedger(t)
	newKey(t, s, 'k', "", fsm.NewCredits{Limited: true, Remaining: 1 << 50})
	return s
}

// A day of log time, and not a millisecond less; an answer that says no is kept like any other, a refusal is not. Contract 7.1.
func TestOutcome_IsKeptForADay(t *testing.T) {
	s := newChargeable(t)
	send := func(at int64, index uint64, c fsm.Command) fsm.Result {
		return s.Apply(fsm.Batch{Stamp: at, Index: index, Calls: []fsm.Call{{Actor: root, Command: c, Idempotency: idempotencyOf(1)}}})[0]
	}
	charge := &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}
	require.Equal(t, fsm.APINotFound, send(1, 5, &fsm.DeleteAPI{APIID: "api_none"}).(*fsm.Refusal).Code)
	first := send(1, 6, charge)
	require.Equal(t, int64(1<<50-1), first.(*fsm.Verdict).Credits)
	require.Equal(t, &fsm.IdempotentReplay{Result: first, Index: 6}, send(1, 7, charge))
	require.Equal(t, &fsm.IdempotentReplay{Result: first, Index: 6}, send(dayMillis, 8, charge))
	require.Equal(t, int64(1<<50-2), send(dayMillis+1, 9, charge).(*fsm.Verdict).Credits)
	require.Equal(t, 1, s.Stats().IdempotencyKeys)

	denied := send(3*dayMillis, 10, &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1 << 51})
	require.Equal(t, fsm.UsageExceeded, denied.(*fsm.Verdict).Code)
	require.Equal(t, &fsm.IdempotentReplay{Result: denied, Index: 10}, send(3*dayMillis, 11, charge))
}

// Never an early eviction: what does not fit is refused, says when to come back, and changes nothing. Contract 7.1.
func TestOutcome_RefusesWhenFull(t *testing.T) {
	s := newChargeable(t)
	apply := func(at int64, first, n int) []fsm.Result {
		return s.Apply(fsm.Batch{Stamp: at, IdempotencyMaxKeys: 3, Index: uint64(at), Calls: idempotentCalls(first, n)})
	}
	results := apply(1000, 0, 4)
	require.IsType(t, &fsm.Verdict{}, results[2])
	full := &fsm.Refusal{Code: fsm.IdempotencyStoreFull, RetryAfter: 86_400}
	require.Equal(t, full, results[3])
	// A flood of them costs no entries.
	next := idempotentCalls(3, 1)[0]
	peeked, ok := s.Peek(&next)
	require.True(t, ok)
	require.Equal(t, full, peeked)
	peeked, ok = s.Peek(&fsm.Call{Actor: root, Command: &fsm.VerifyKeys{Items: []fsm.Verification{{Command: next.Command, Idempotency: next.Idempotency}}}})
	require.True(t, ok)
	require.Equal(t, &fsm.Verdicts{Results: []fsm.Result{full}}, peeked)
	require.Equal(t, int64(1<<50-3), s.Answer(root, &fsm.GetKey{KeyID: "key_k"}).(*fsm.Key).Credits.Remaining)
	require.IsType(t, &fsm.IdempotentReplay{}, apply(1000, 2, 1)[0])
	require.Equal(t, int64(1), apply(1000+dayMillis-1, 3, 1)[0].(*fsm.Refusal).RetryAfter)
	s.Apply(fsm.Batch{Stamp: 1000 + dayMillis, IdempotencyMaxKeys: 3, Index: 9})
	_, ok = s.Peek(&next)
	require.False(t, ok, "there is room again")
	for _, r := range apply(1000+dayMillis, 3, 3) {
		require.IsType(t, &fsm.Verdict{}, r)
	}

	// A batch counts as many as it has items.
	s = newChargeable(t)
	items := make([]fsm.Verification, 3)
	for i := range items {
		items[i].Command = &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}
	}
	s.Apply(fsm.Batch{IdempotencyMaxKeys: 3, Calls: []fsm.Call{{Actor: root, Command: &fsm.VerifyKeys{Items: items}, Idempotency: idempotencyOf(9)}}})
	require.Equal(t, 3, s.Stats().IdempotencyKeys)
	require.Equal(t, fsm.IdempotencyStoreFull, apply(1, 0, 1)[0].(*fsm.Refusal).Code)
}

// A batch does not fill the store half-way. Its answer may be stored, and then a retry would get "store full" although there is space
// again.
func TestOutcome_HasRoomForABatchOrNone(t *testing.T) {
	s := newChargeable(t)
	var items []fsm.Verification
	for i := range 3 {
		items = append(items, fsm.Verification{Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Cost: 1}, Idempotency: idempotencyOf(i)})
	}
	call := fsm.Call{Actor: root, Command: &fsm.VerifyKeys{Items: items}, Idempotency: idempotencyOf(100)}
	for _, r := range s.Apply(fsm.Batch{Index: 5, IdempotencyMaxKeys: 2, Calls: []fsm.Call{call}})[0].(*fsm.Verdicts).Results {
		require.IsType(t, &fsm.Verdict{}, r)
	}
	require.Equal(t, 6, s.Stats().IdempotencyKeys)

	// What is remembered is told all the same, and what is not is refused from the first item on.
	call = fsm.Call{Actor: root, Command: &fsm.VerifyKeys{Items: slices.Concat(items[:1], []fsm.Verification{
		{Command: items[0].Command, Idempotency: idempotencyOf(7)}, items[1], {Command: items[0].Command, Idempotency: idempotencyOf(8)},
	})}}
	peeked, ok := s.Peek(&call)
	require.True(t, ok)
	answer := s.Apply(fsm.Batch{Index: 6, IdempotencyMaxKeys: 2, Calls: []fsm.Call{call}})[0].(*fsm.Verdicts)
	require.Equal(t, peeked, answer)
	for i, r := range answer.Results {
		_, refused := r.(*fsm.Refusal)
		require.Equal(t, i%2 == 1, refused)
	}
}

// The limit bounds bytes, so a large answer counts as several records. It counts alike on every node, also on one that installed a
// snapshot.
func TestOutcome_CountsBytes(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateIdentity{ID: "id_1", ExternalID: "user", Meta: `{"a":"` + strings.Repeat("x", 100<<10) + `"}`})
	newKey(t, s, 'k', "user", fsm.NewCredits{})
	refs := make([]fsm.PermissionRef, 1000)
	for i := range refs {
		refs[i] = fsm.PermissionRef{Slug: fmt.Sprintf("permission.%d", i), ID: fmt.Sprintf("perm_%d", i)}
	}
	apply(t, s, &fsm.CreateRole{ID: "role_1", Name: "r", Permissions: refs})
	item := fsm.Verification{Command: &fsm.VerifyKey{Hash: fsm.Hash{'k'}}}
	many := &fsm.MigrateKeys{MigrationID: "m", APIID: "api_1", Keys: make([]fsm.MigratedKey, 500)}
	for i := range many.Keys {
		many.Keys[i] = fsm.MigratedKey{ID: fmt.Sprintf("key_%d", i), Hash: fsm.Hash{1, byte(i), byte(i >> 8)}, Form: fsm.SHA256}
	}
	apply(t, s, &fsm.CreateMigration{ID: "m", Algorithm: fsm.SHA256})
	limits := &fsm.ConsumeRatelimits{}
	for i := range 100 {
		limits.Requests = append(limits.Requests, fsm.RatelimitRequest{
			Namespace: "n", NamespaceID: "rlns_1", Identifier: fmt.Sprint(i), Limit: 5, Duration: 1000, Cost: 1,
		})
	}
	for i, c := range []fsm.Command{
		item.Command,
		&fsm.VerifyKeys{Items: []fsm.Verification{item, item, item}},
		&fsm.LinkKeyRoles{KeyID: "key_k", Op: fsm.AddLinks, Roles: []string{"r"}},
		item.Command, // which shows the permissions now
		&fsm.LinkKeyPermissions{KeyID: "key_k", Op: fsm.AddLinks, Permissions: refs},
		many,
		limits,
		&fsm.CreateAPI{ID: "api_2", Name: "n"},
	} {
		before := s.Stats().IdempotencyKeys
		r := s.Apply(fsm.Batch{Index: uint64(i + 1), Calls: []fsm.Call{{Actor: root, Command: c, Idempotency: idempotencyOf(i)}}})[0]
		require.NotEqual(t, reflect.TypeFor[*fsm.Refusal](), reflect.TypeOf(r))
		bytes := len(codec.AppendResult(nil, r))
		weight := s.Stats().IdempotencyKeys - before
		require.GreaterOrEqual(t, 256*weight, bytes-64, "%T", c)
		require.LessOrEqual(t, weight, 1+32*bytes/256, "%T", c)
	}
	require.Equal(t, s.Stats().IdempotencyKeys, reload(t, s).Stats().IdempotencyKeys)
}

// A day's outcomes that expire together are dropped a few per entry, the same ones on every node, also on one that has loaded a
// snapshot meanwhile.
func TestOutcome_DropsAFewPerEntryInOneOrder(t *testing.T) {
	s := newChargeable(t)
	for index := range uint64(3) {
		s.Apply(fsm.Batch{Stamp: 1000, Index: index + 1, Calls: idempotentCalls(int(index)*200, 200)})
	}
	// Some names come back when they have expired and their turn has not come.
	s.Apply(fsm.Batch{Stamp: 1000 + dayMillis, Index: 9, Calls: idempotentCalls(400, 50)})
	again := reload(t, s)
	left := s.Stats().IdempotencyKeys
	require.Greater(t, left, 400)
	for entry := int64(1); left > 50; entry++ {
		b := fsm.Batch{Stamp: 1000 + dayMillis + entry, Index: uint64(10 + entry)}
		s.Apply(b)
		again.Apply(b)
		require.Equal(t, s.Digest(), again.Digest())
		dropped := left - s.Stats().IdempotencyKeys
		require.Positive(t, dropped)
		require.LessOrEqual(t, dropped, 64)
		left -= dropped
	}
	require.Equal(t, 50, again.Stats().IdempotencyKeys)
}

// A ledger that was moved to another cluster goes on with its log time and begins with another log: its indexes are smaller. The order of
// the outcomes is the same on a node that has them from a snapshot.
func TestOutcome_OrderSurvivesAnotherLog(t *testing.T) {
	s := newChargeable(t)
	s.Apply(fsm.Batch{Stamp: 1000, Index: 700, Calls: idempotentCalls(0, 100)})
	s.Apply(fsm.Batch{Stamp: 2000, Index: 3, Calls: idempotentCalls(100, 100)})
	again := reload(t, s)
	for entry := range uint64(5) {
		b := fsm.Batch{Stamp: 2000 + dayMillis + int64(entry), Index: 4 + entry}
		s.Apply(b)
		again.Apply(b)
		require.Equal(t, s.Digest(), again.Digest())
	}
	require.Zero(t, s.Stats().IdempotencyKeys)
}

// Names are those of a workspace, and of a request.
func TestOutcome_Scope(t *testing.T) {
	s := newChargeable(t)
	apply(t, s, &fsm.CreateWorkspace{ID: "ws_2", Name: "other"})
	foreign := newRoot(t, s, 'f', "ws_2", fsm.AllPermissions()...)
	call := idempotentCalls(1, 1)[0]
	first := s.Apply(fsm.Batch{Calls: []fsm.Call{call}})[0]
	colleague := newRoot(t, s, 'c', "", "api.*.verify_key")
	for actor, want := range map[fsm.Hash]fsm.Result{
		root: &fsm.IdempotentReplay{Result: first}, colleague: &fsm.IdempotentReplay{Result: first}, foreign: &fsm.Verdict{Code: fsm.NotFound},
	} {
		call.Actor = actor
		require.Equal(t, want, s.Apply(fsm.Batch{Calls: []fsm.Call{call}})[0])
	}
	call.Actor = root
	other := *call.Idempotency
	other.Fingerprint[5]++
	call.Idempotency = &other
	before := s.Digest()
	require.Equal(t, fsm.IdempotencyConflict, s.Apply(fsm.Batch{Calls: []fsm.Call{call}})[0].(*fsm.Refusal).Code)
	require.Equal(t, before, s.Digest())
}

// A million outcomes of plain verifications fit the memory that the documentation of the limit names.
func TestOutcome_Memory(t *testing.T) {
	const outcomes = 100_000
	s := newChargeable(t)
	measure := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := measure()
	for first := 0; first < outcomes; first += 1000 {
		s.Apply(fsm.Batch{Stamp: 1000, Index: uint64(first), Calls: idempotentCalls(first, 1000)})
	}
	per := float64(measure()-before) / outcomes
	t.Logf("%.0f bytes per outcome", per)
	require.Less(t, per, 450.0)
	require.Equal(t, outcomes, s.Stats().IdempotencyKeys)
}

// reload is the ledger as a node has it that was given a snapshot of it.
func reload(t testing.TB, s *fsm.State) *fsm.State {
	t.Helper()
	f := s.Freeze()
	defer f.Release(false)
	records := map[string][]byte{}
	for !f.Done() {
		for _, c := range f.Next(100, nil) {
			if c.Record != nil {
				records[string(codec.AppendRecordKey(nil, c.Name()))] = codec.AppendRecord(nil, c.Record)
			}
		}
	}
	l := fsm.NewLoader()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		r, err := codec.DecodeRecord([]byte(name), records[name])
		require.NoError(t, err)
		require.NoError(t, l.Add(r))
	}
	again, err := l.Finish(f.Digest)
	require.NoError(t, err)
	return again
}

// Outcomes that no ledger can have are refused when a snapshot is loaded.
func TestOutcome_LoaderRefuses(t *testing.T) {
	outcome := func(change func(*fsm.IdempotencyRecord)) *fsm.IdempotencyRecord {
		r := &fsm.IdempotencyRecord{WorkspaceID: "ws_1", KeyHash: fsm.ShortHash{5}, At: 10, Index: 7, Result: &fsm.Done{}}
		change(r)
		return r
	}
	load := func(records ...fsm.Record) error {
		l := fsm.NewLoader()
		for _, r := range append([]fsm.Record{&fsm.MetaRecord{Clock: 10, LedgerVersion: 1}, &fsm.WorkspaceRecord{ID: "ws_1", Enabled: true}}, records...) {
			if err := l.Add(r); err != nil {
				return err
			}
		}
		return nil
	}
	fine := outcome(func(*fsm.IdempotencyRecord) {})
	require.NoError(t, load(fine, outcome(func(r *fsm.IdempotencyRecord) { r.KeyHash[0]++ })))
	require.Error(t, load(fine, fine))
	require.Error(t, load(fine, outcome(func(r *fsm.IdempotencyRecord) { r.Index++ })), "one name, two outcomes")
	require.NoError(t, load(fine, outcome(func(r *fsm.IdempotencyRecord) { r.KeyHash[0]-- })), "in any order")
	require.Error(t, load(outcome(func(r *fsm.IdempotencyRecord) { r.WorkspaceID = "ws_2" })))
	require.Error(t, load(outcome(func(r *fsm.IdempotencyRecord) { r.At = 11 })))
	require.Error(t, load(outcome(func(r *fsm.IdempotencyRecord) { r.Result = nil })))
	require.Error(t, load(outcome(func(r *fsm.IdempotencyRecord) { r.Result = &fsm.Refusal{} })))
	require.Error(t, load(outcome(func(r *fsm.IdempotencyRecord) { r.Result = &fsm.Verdicts{Results: []fsm.Result{&fsm.Done{}}} })))
}
