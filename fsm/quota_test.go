package fsm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

func setQuota(t *testing.T, s *fsm.State, kind fsm.QuotaKind, limit int64) {
	t.Helper()
	c := &fsm.UpdateWorkspace{WorkspaceID: "ws_1", KeepEnabled: true}
	c.Quotas[kind] = fsm.Set(limit)
	require.Equal(t, &fsm.Done{}, apply(t, s, c))
}

func usedBy(t *testing.T, s *fsm.State) fsm.Usage {
	t.Helper()
	return s.Answer(root, &fsm.ListWorkspaces{Page: fsm.Page{Limit: 1}}).(*fsm.Workspaces).List[0].Used
}

// A quota lets in exactly so many, and what it refuses changes nothing and costs no entry. The count is that of the records, also after a
// restart. Contract 7.2, D-52.
func TestQuota_OfEachKind(t *testing.T) {
	permission := func(n int) []fsm.PermissionRef {
		return []fsm.PermissionRef{{Slug: fmt.Sprint("p", n), ID: fmt.Sprint("perm_", n)}}
	}
	for kind, add := range map[fsm.QuotaKind]func(n int) fsm.Command{
		fsm.KeysQuota: func(n int) fsm.Command {
			return &fsm.CreateKey{ID: fmt.Sprint("key_", n), Hash: fsm.Hash{'q', byte(n)}, APIID: "api_1", Enabled: true, Expires: fsm.Never}
		},
		fsm.IdentitiesQuota: func(n int) fsm.Command {
			return &fsm.CreateIdentity{ID: fmt.Sprint("id_", n), ExternalID: fmt.Sprint("x", n)}
		},
		fsm.APIsQuota: func(n int) fsm.Command {
			return &fsm.CreateAPI{ID: fmt.Sprint("api_new", n), KeyspaceID: "ks"}
		},
		fsm.PermissionsQuota: func(n int) fsm.Command {
			return &fsm.CreateRole{ID: fmt.Sprint("role_", n), Name: fmt.Sprint("r", n), Permissions: permission(n)}
		},
		fsm.RolesQuota: func(n int) fsm.Command { return &fsm.CreateRole{ID: fmt.Sprint("role_", n), Name: fmt.Sprint("r", n)} },
		fsm.NamespacesQuota: func(n int) fsm.Command {
			return &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
				{Namespace: fmt.Sprint("n", n), NamespaceID: fmt.Sprint("rlns_", n), Identifier: "i", Limit: 5, Duration: 60_000, Cost: 1},
			}}
		},
		fsm.OverridesQuota: func(n int) fsm.Command {
			return &fsm.SetOverride{ID: fmt.Sprint("rlor_", n), Namespace: "first", Identifier: fmt.Sprint("i", n), Limit: 1, Duration: 60_000}
		},
	} {
		name := fsm.QuotaNames[kind]
		s := newLedger(t)
		apply(t, s, &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
			{Namespace: "first", NamespaceID: "rlns_first", Identifier: "i", Limit: 5, Duration: 60_000, Cost: 1},
		}})
		before := usedBy(t, s)[kind]
		setQuota(t, s, kind, before+2)
		for n := range 2 {
			_, refused := apply(t, s, add(n)).(*fsm.Refusal)
			require.False(t, refused, name)
		}
		require.Equal(t, before+2, usedBy(t, s)[kind], name)

		digest := s.Digest()
		refusal, ok := apply(t, s, add(2)).(*fsm.Refusal)
		require.True(t, ok, name)
		require.Equal(t, fsm.QuotaExceeded, refusal.Code, name)
		require.Contains(t, refusal.Detail, fmt.Sprintf("quota of %d %s", before+2, name))
		require.Equal(t, digest, s.Digest(), name)
		peeked, ok := s.Peek(&fsm.Call{Actor: root, Command: add(2)})
		require.True(t, ok, name)
		require.Equal(t, fsm.Result(refusal), peeked)

		// Another workspace has quotas of its own, and without one there is no limit. One may lie below what there is.
		setQuota(t, s, kind, 0)
		require.Equal(t, fsm.QuotaExceeded, apply(t, s, add(2)).(*fsm.Refusal).Code, name)
		remove := &fsm.UpdateWorkspace{WorkspaceID: "ws_1", KeepEnabled: true}
		remove.Quotas[kind] = fsm.Clear[int64]()
		apply(t, s, remove)
		_, refused := apply(t, s, add(2)).(*fsm.Refusal)
		require.False(t, refused, name)
		again := restored(t, s)
		require.Equal(t, usedBy(t, s), usedBy(t, again), name)
	}
}

// What is deleted counts while the ledger keeps its record.
func TestQuota_CountsRecords(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "x", fsm.NewCredits{})
	newKey(t, s, 'b', "", fsm.NewCredits{})
	apply(t, s, &fsm.DeleteKey{KeyID: "key_a"})
	apply(t, s, &fsm.DeleteIdentity{Identity: "x"})
	require.Equal(t, fsm.Usage{fsm.KeysQuota: 2, fsm.IdentitiesQuota: 1, fsm.APIsQuota: 1}, usedBy(t, s))
	apply(t, s, &fsm.DeleteKey{KeyID: "key_b", Permanent: true})
	require.EqualValues(t, 1, usedBy(t, s)[fsm.KeysQuota])
	require.Equal(t, usedBy(t, s), usedBy(t, restored(t, s)))
}

// A quota of outcomes refuses as a full store does, and says when there is room.
func TestQuota_OfOutcomes(t *testing.T) {
	s := newLedger(t)
	setQuota(t, s, fsm.OutcomesQuota, 3)
	n, refusal := fillStore(t, s, root, 1000, 0)
	require.Equal(t, 3, n)
	require.Equal(t, &fsm.Refusal{Code: fsm.QuotaExceeded, Detail: "The workspace has used up its quota of 3 outcomes", RetryAfter: 86_400}, refusal)
	n, _ = fillStore(t, s, root, 1000+dayMillis, 0)
	require.Equal(t, 3, n)
}

// The windows of a workspace are counted, and new ones are refused before the log. Those that are open go on.
func TestQuota_OfWindows(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'k', "", fsm.NewCredits{})
	limit := func(name string) *fsm.ConsumeRatelimits {
		return &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{
			{Namespace: "n", NamespaceID: "rlns_n", Identifier: name, Limit: 5, Duration: 60_000, Cost: 1},
		}}
	}
	verify := func(name string) *fsm.VerifyKey {
		return &fsm.VerifyKey{Hash: fsm.Hash{'k'}, Ratelimits: []fsm.RatelimitCheck{{Name: name, AdHoc: true, Limit: 5, Duration: 60_000, Cost: 1}}}
	}
	peek := func(c fsm.Command) fsm.Result {
		r, _ := s.Peek(&fsm.Call{Actor: root, Command: c})
		return r
	}
	refused := func(c fsm.Command) {
		t.Helper()
		require.Equal(t, fsm.QuotaExceeded, peek(c).(*fsm.Refusal).Code)
		named := &fsm.Call{Actor: root, Command: c, Idempotency: idempotencyOf(1)}
		r, ok := s.Peek(named)
		require.True(t, ok)
		require.Equal(t, fsm.QuotaExceeded, r.(*fsm.Refusal).Code)
	}
	apply(t, s, limit("a"))
	apply(t, s, verify("b"))
	require.EqualValues(t, 2, usedBy(t, s)[fsm.WindowsQuota])
	require.Equal(t, usedBy(t, s), usedBy(t, restored(t, s)))
	setQuota(t, s, fsm.WindowsQuota, 2)
	refused(limit("c"))
	refused(verify("c"))
	refused(&fsm.VerifyKeys{Items: []fsm.Verification{{Command: verify("b")}, {Command: verify("c")}}})
	for _, c := range []fsm.Command{limit("a"), verify("b")} {
		require.Nil(t, peek(c), "what opens no window goes on")
	}
	setQuota(t, s, fsm.WindowsQuota, 3)
	require.Nil(t, peek(limit("c")))

	// A repetition opens nothing, also after its window has ended.
	stored := &fsm.VerifyKeys{Items: []fsm.Verification{{Command: verify("d"), Idempotency: idempotencyOf(7)}}}
	apply(t, s, stored)
	s.Apply(fsm.Batch{Stamp: s.Clock() + 600_000})
	setQuota(t, s, fsm.WindowsQuota, 0)
	require.IsType(t, new(fsm.Verdicts), peek(stored))
	refused(&fsm.VerifyKeys{Items: []fsm.Verification{stored.Items[0], {Command: verify("e")}}})
	setQuota(t, s, fsm.WindowsQuota, 3)
	apply(t, s, limit("a"))
	apply(t, s, verify("b"))

	// The limit of all is shared.
	actor := tenants(t, s, 0, 1)[0]
	s.LimitWindows(2)
	refused(limit("c"))
	foreign := &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{{Namespace: "n", NamespaceID: "rlns_m", Identifier: "i", Limit: 5, Duration: 60_000, Cost: 1}}}
	_, ok := s.Peek(&fsm.Call{Actor: actor, Command: foreign})
	require.False(t, ok, "another workspace has its part")

	old := newLedgerOf(t, fsmtest.SecondRules)
	old.LimitWindows(1)
	apply(t, old, limit("a"))
	_, ok = old.Peek(&fsm.Call{Actor: root, Command: limit("b")})
	require.False(t, ok, "a node of the cluster may not know the refusal")

	s.Apply(fsm.Batch{Stamp: s.Clock() + 180_000})
	require.Zero(t, usedBy(t, s)[fsm.WindowsQuota])
	require.Nil(t, peek(limit("c")))
}
