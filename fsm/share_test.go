package fsm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// tenants adds n workspaces, numbered from first on, and returns root keys with every permission, one for each.
func tenants(t *testing.T, s *fsm.State, first, n int) []fsm.Hash {
	t.Helper()
	var actors []fsm.Hash
	for i := first; i < first+n; i++ {
		id, actor := fmt.Sprintf("ws_t%d", i), fsm.Hash{'t', byte(i)}
		for _, r := range s.Apply(fsm.Batch{Calls: []fsm.Call{
			{Actor: root, Command: &fsm.CreateWorkspace{ID: id}},
			{Actor: root, Command: &fsm.CreateRootKey{ID: "key_t" + id, Hash: actor, WorkspaceID: id, Permissions: fsm.AllPermissions(), Expires: fsm.Never}},
		}}) {
			require.IsType(t, &fsm.Created{}, r)
		}
		actors = append(actors, actor)
	}
	return actors
}

// fillStore sends verifications that find nothing, each under a new idempotency key, until one is refused. It returns how many were stored.
func fillStore(t *testing.T, s *fsm.State, actor fsm.Hash, at int64, capacity uint64) (stored int, refusal *fsm.Refusal) {
	t.Helper()
	for name := 0; ; name++ {
		r := s.Apply(fsm.Batch{Stamp: at, Index: uint64(at), IdempotencyMaxKeys: capacity, Calls: []fsm.Call{
			{Actor: actor, Command: &fsm.VerifyKey{Hash: fsm.Hash{9}}, Idempotency: idempotencyOf(int(at)<<20 + name)},
		}})[0]
		if refusal, ok := r.(*fsm.Refusal); ok {
			return stored, refusal
		}
		stored++
		require.Less(t, stored, 10_000)
	}
}

// One workspace after the other takes all that it gets, and the last one still gets its part. Contract 7.1, D-51.
func TestOutcome_NoWorkspaceFillsTheStoreOfAnother(t *testing.T) {
	s := newLedger(t)
	const capacity = 1600
	actors := tenants(t, s, 0, 4) // beside that of the root key: five workspaces
	var counts []int
	for _, actor := range actors {
		n, refusal := fillStore(t, s, actor, 1000, capacity)
		require.Equal(t, fsm.IdempotencyStoreFull, refusal.Code)
		counts = append(counts, n)
	}
	require.Equal(t, []int{700, 350, 175, 88}, counts)
	n, _ := fillStore(t, s, root, 1000, capacity)
	require.Equal(t, 44, n, "at least 1600/8/5")
	require.LessOrEqual(t, s.Stats().IdempotencyKeys, capacity)

	// One that comes late gets its part, even if the capacity was lowered.
	n, _ = fillStore(t, s, tenants(t, s, 4, 1)[0], 1000, 400)
	require.Equal(t, 400/8/6, n)
}

// A refusal names the time at which a record of the workspace itself expires, and there is room then.
func TestOutcome_SaysWhenTheWorkspaceHasRoomAgain(t *testing.T) {
	s := newLedger(t)
	actors := tenants(t, s, 0, 2)
	n, refusal := fillStore(t, s, actors[0], 1000, 80)
	require.Equal(t, 35, n)
	require.Equal(t, int64(86_400), refusal.RetryAfter)
	_, refusal = fillStore(t, s, actors[1], 11_000, 80)
	require.Equal(t, int64(86_400), refusal.RetryAfter, "its own, not those of the other")
	n, refusal = fillStore(t, s, actors[0], 21_000, 80)
	require.Zero(t, n)
	require.Equal(t, int64(86_380), refusal.RetryAfter)
	n, _ = fillStore(t, s, actors[0], 1000+dayMillis, 80)
	require.Positive(t, n)
}

// Below ledger version 3 the store is everybody's, as older builds have it.
func TestOutcome_IsNotSharedInAnOldLedger(t *testing.T) {
	s := newLedgerOf(t, fsmtest.SecondRules)
	actors := tenants(t, s, 0, 2)
	n, _ := fillStore(t, s, actors[0], 1000, 80)
	require.Equal(t, 80, n)
	n, _ = fillStore(t, s, actors[1], 1000, 80)
	require.Zero(t, n)
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.ThirdRules, Build: "v1.3.0"})
	n, _ = fillStore(t, s, actors[1], 1000, 80)
	require.Equal(t, 80/8/3, n, "the part that is set aside")
}
