package fsm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// at is a time in Unix ms.
func at(t testing.TB, text string) int64 {
	t.Helper()
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.000", "2006-01-02"} {
		if v, err := time.Parse(layout, text); err == nil {
			return v.UnixMilli()
		}
	}
	require.Failf(t, "not a time", "%q", text)
	return 0
}

// advance moves log time.
func advance(t testing.TB, s *fsm.State, text string) {
	t.Helper()
	s.Apply(fsm.Batch{Stamp: at(t, text)})
	require.NoError(t, s.CheckInvariants())
}

// as sends a command for another root key.
func as(t testing.TB, s *fsm.State, actor fsm.Hash, c fsm.Command) fsm.Result {
	t.Helper()
	r := s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: actor, Command: c}}})[0]
	require.NoError(t, s.CheckInvariants())
	return r
}

// newKey adds the key "key_<name>" with the hash {name}, for an identity of that externalId unless it is empty.
func newKey(t testing.TB, s *fsm.State, name byte, externalID string, credits fsm.NewCredits) string {
	t.Helper()
	id := "key_" + string(rune(name))
	require.Equal(t, &fsm.Created{ID: id}, apply(t, s, &fsm.CreateKey{
		ID: id, Hash: fsm.Hash{name}, APIID: "api_1", Enabled: true, Expires: fsm.Never, Credits: credits,
		ExternalID: externalID, IdentityID: "id_of_" + id,
	}))
	return id
}

func newIdentity(t testing.TB, s *fsm.State, externalID string, credits fsm.NewCredits, policy fsm.Policy) string {
	t.Helper()
	id := "id_" + externalID
	require.Equal(t, &fsm.Created{ID: id},
		apply(t, s, &fsm.CreateIdentity{ID: id, ExternalID: externalID, Credits: credits, Policy: policy}))
	return id
}

// newRoot adds a root key of a workspace (empty: the first) that holds just these permissions.
func newRoot(t testing.TB, s *fsm.State, name byte, workspaceID string, permissions ...string) fsm.Hash {
	t.Helper()
	h := fsm.Hash{'r', name}
	id := "key_root_" + string(rune(name))
	require.Equal(t, &fsm.Created{ID: id}, apply(t, s, &fsm.CreateRootKey{
		ID: id, Hash: h, WorkspaceID: workspaceID, Permissions: permissions, Expires: fsm.Never,
	}))
	return h
}

func getKey(t testing.TB, s *fsm.State, id string) *fsm.Key {
	t.Helper()
	k, ok := s.Answer(root, &fsm.GetKey{KeyID: id}).(*fsm.Key)
	require.True(t, ok, "no key %s", id)
	return k
}

func getIdentity(t testing.TB, s *fsm.State, ref string) *fsm.Identity {
	t.Helper()
	i, ok := s.Answer(root, &fsm.GetIdentity{Identity: ref}).(*fsm.Identity)
	require.True(t, ok, "no identity %s", ref)
	return i
}

// verify spends cost with the key of that name.
func verify(t testing.TB, s *fsm.State, name byte, cost int64) *fsm.Verdict {
	t.Helper()
	return apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{name}, Cost: cost}).(*fsm.Verdict)
}

// code is the code of a refusal, and 0 of any other answer.
func code(r fsm.Result) fsm.RefusalCode {
	if r, ok := r.(*fsm.Refusal); ok {
		return r.Code
	}
	return 0
}

func daily(amount int64) fsm.Refill { return fsm.Refill{Interval: fsm.Daily, Amount: amount} }

func monthly(amount int64, day uint8) fsm.Refill {
	return fsm.Refill{Interval: fsm.Monthly, Amount: amount, Day: day}
}

func credits(n int64, refill ...fsm.Refill) fsm.NewCredits {
	c := fsm.NewCredits{Limited: true, Remaining: n}
	if len(refill) > 0 {
		c.Refill = refill[0]
	}
	return c
}

func shown(n int64, refill ...fsm.Refill) fsm.Credits { return fsm.Credits(credits(n, refill...)) }

// unlimited is how the absence of a record shows, and what makes none.
var unlimited fsm.Credits

// owner is a key or an identity: most rules on credits hold for both.
type owner struct {
	name   string
	create func(testing.TB, *fsm.State, fsm.NewCredits) fsm.Result
	change func(fsm.CreditsChange) fsm.Command
	move   func(fsm.BalanceChange) fsm.Command
	show   func(testing.TB, *fsm.State) fsm.Credits
}

var owners = []owner{
	{
		name: "key",
		create: func(t testing.TB, s *fsm.State, c fsm.NewCredits) fsm.Result {
			return apply(t, s, &fsm.CreateKey{ID: "key_a", Hash: fsm.Hash{'a'}, APIID: "api_1", Enabled: true, Expires: fsm.Never, Credits: c})
		},
		change: func(c fsm.CreditsChange) fsm.Command {
			return &fsm.UpdateKey{KeyID: "key_a", Name: fsm.Set("new"), Meta: fsm.Set("{}"), Enabled: fsm.Set(false), Credits: c}
		},
		move: func(c fsm.BalanceChange) fsm.Command { return &fsm.UpdateKeyCredits{KeyID: "key_a", Change: c} },
		show: func(t testing.TB, s *fsm.State) fsm.Credits { return getKey(t, s, "key_a").Credits },
	},
	{
		name: "identity",
		create: func(t testing.TB, s *fsm.State, c fsm.NewCredits) fsm.Result {
			return apply(t, s, &fsm.CreateIdentity{ID: "id_a", ExternalID: "a", Credits: c})
		},
		change: func(c fsm.CreditsChange) fsm.Command {
			return &fsm.UpdateIdentity{Identity: "a", Meta: fsm.Set("{}"), Policy: fsm.Set(fsm.BothPay), Credits: c}
		},
		move: func(c fsm.BalanceChange) fsm.Command { return &fsm.UpdateIdentityCredits{Identity: "id_a", Change: c} },
		show: func(t testing.TB, s *fsm.State) fsm.Credits { return getIdentity(t, s, "a").Credits },
	},
}

// forOwners runs a test on a fresh ledger for a key and for an identity with the given credits.
func forOwners(t *testing.T, n fsm.NewCredits, f func(t *testing.T, s *fsm.State, o owner)) {
	t.Helper()
	for _, o := range owners {
		t.Run(o.name, func(t *testing.T) {
			s := newLedger(t)
			advance(t, s, "2025-01-01 10:00:00.000")
			require.IsType(t, &fsm.Created{}, o.create(t, s, n))
			f(t, s, o)
		})
	}
}
