package fsm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

func preview(t *testing.T, s *fsm.State, actor fsm.Hash, c fsm.VerifyKey) fsm.Result {
	t.Helper()
	return ask(t, s, actor, nil, &fsm.PreviewVerification{Verification: &c})
}

// A preview says what the verification then says, and changes nothing: not even lastUsedAt, a window or a due refill.
func TestPreview_IsWhatAVerificationWouldSay(t *testing.T) {
	s := newTown(t)
	limits := []fsm.RatelimitCheck{{Name: "burst", Cost: 2, AdHoc: true, Limit: 3, Duration: 60_000}}
	for _, c := range []fsm.VerifyKey{
		{Hash: fsm.Hash{'a'}, Cost: 2}, {Hash: fsm.Hash{'a'}, Cost: 9}, {Hash: fsm.Hash{'a'}}, {Hash: fsm.Hash{'z'}, Cost: 1},
		{Hash: fsm.Hash{'a'}, Cost: 1, Query: "docs.write"}, {Hash: fsm.Hash{'a'}, Ratelimits: limits}, {Hash: fsm.Hash{'a'}, Ratelimits: limits},
		{Hash: fsm.Hash{'a'}, Query: "("},
	} {
		before := s.Digest()
		asked := preview(t, s, root, c)
		require.Equal(t, before, s.Digest())
		told := apply(t, s, &c)
		if p, ok := asked.(*fsm.Preview); ok {
			require.Equal(t, told, &p.Verdict)
			continue
		}
		require.Equal(t, told, asked)
	}
	payers := preview(t, s, root, fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}).(*fsm.Preview).Payers
	require.Equal(t, []fsm.Payer{{Identity: true, ID: "id_alice", Credits: fsm.Credits{Limited: true, Remaining: 3}}}, payers)
}

// Who may name a key by its hash may still verify only what the permission to verify allows: contract 7.2.
func TestPreview_AHashIsNoWayAroundThePermissionToVerify(t *testing.T) {
	s := newTown(t)
	byHash := &fsm.PreviewVerification{Verification: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}, ByHash: true}
	codeOf := func(actor fsm.Hash) fsm.VerdictCode { return s.Answer(actor, byHash).(*fsm.Preview).Verdict.Code }
	hashes := string(fsm.VerifyKeyHashPermission)
	require.Equal(t, fsm.NotFound, codeOf(newRoot(t, s, '1', "", hashes)))
	require.Equal(t, fsm.NotFound, codeOf(newRoot(t, s, '2', "", hashes, "api.api_2.verify_key")))
	require.Equal(t, fsm.NotFound, codeOf(newRoot(t, s, '3', "ws_2", hashes, "api.*.verify_key")))
	require.Equal(t, fsm.Valid, codeOf(newRoot(t, s, '4', "", hashes, "api.api_1.verify_key")))
	refused := s.Answer(newRoot(t, s, '5', "", "api.*.verify_key"), byHash)
	require.Equal(t, &fsm.Refusal{Code: fsm.InsufficientPermissions, Accepted: []string{hashes}}, refused)
}

// Deleted APIs leave the list, also after a restart: contract 7.2.
func TestListAPIs_HasThoseThatExist(t *testing.T) {
	s := newTown(t)
	for i := range 5 {
		require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: fmt.Sprint("api_x", i), KeyspaceID: fmt.Sprint("ks_x", i), Name: fmt.Sprint("Name ", i)})))
	}
	require.Equal(t, &fsm.Done{}, apply(t, s, &fsm.DeleteAPI{APIID: "api_x3"}))
	for _, each := range []*fsm.State{s, restored(t, s)} {
		var ids []string
		p := fsm.Page{Limit: 2}
		for {
			found := each.Answer(root, &fsm.ListAPIs{Search: " nAmE", Page: p}).(*fsm.APIs)
			for _, a := range found.List {
				ids = append(ids, a.ID)
			}
			if p.Cursor = found.Next; p.Cursor == "" {
				break
			}
		}
		require.Equal(t, []string{"api_x0", "api_x1", "api_x2", "api_x4"}, ids)
	}
}
