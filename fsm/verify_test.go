package fsm_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

var root = fsm.Hash{1}

// newLedger returns a ledger with all rules of a normal build.
func newLedger(t testing.TB) *fsm.State {
	t.Helper()
	return newLedgerOf(t, 3)
}

func newLedgerOf(t testing.TB, version uint64) *fsm.State {
	t.Helper()
	s := fsm.New()
	apply(t, s, &fsm.RaiseLedgerVersion{Version: version, Build: "v1.2.3"})
	apply(t, s, &fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", WorkspaceName: "default", RootKeyID: "key_root", RootKeyHash: root})
	apply(t, s, &fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"})
	return s
}

func apply(t testing.TB, s *fsm.State, c fsm.Command) fsm.Result {
	t.Helper()
	r := s.Apply(fsm.Batch{Stamp: s.Clock(), Calls: []fsm.Call{{Actor: root, Command: c}}})[0]
	require.NoError(t, s.CheckInvariants())
	return r
}

// An identity's pool is spent by all its keys until it is empty, and never beyond: contract 3.4 and 4.8.
func TestVerify_SpendsTheIdentityThroughEachOfItsKeys(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateIdentity{ID: "id_1", ExternalID: "alice", Credits: fsm.NewCredits{Limited: true, Remaining: 5}})
	apply(t, s, &fsm.CreateKey{ID: "key_a", Hash: fsm.Hash{2}, APIID: "api_1", ExternalID: "alice", Enabled: true, Expires: fsm.Never})
	apply(t, s, &fsm.CreateKey{ID: "key_b", Hash: fsm.Hash{3}, APIID: "api_1", ExternalID: "alice", Enabled: true, Expires: fsm.Never})
	for i := range 7 {
		v := apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{byte(2 + i%2)}, Cost: 1}).(*fsm.Verdict)
		want, outcome := int64(4-i), fsm.Valid
		if i >= 5 {
			want, outcome = 0, fsm.UsageExceeded
		}
		require.Equal(t, want, v.Credits)
		require.Equal(t, outcome, v.Code)
	}
}

// Contract 3.3, 3.4 and 3.7: which check wins, what is charged, and what the answer shows.
func TestVerify_Outcomes(t *testing.T) {
	const now, never = "2025-01-01 10:00:00.000", fsm.Never
	identity := &fsm.VerdictIdentity{ID: "id_of_key_a", ExternalID: "alice", Meta: ""}
	full := func(o fsm.VerdictCode, enabled bool, expires int64, credits ...int64) *fsm.Verdict {
		v := &fsm.Verdict{
			Code: o, Enabled: enabled, Expires: expires, KeyID: "key_a", Name: "n", Meta: `{"a":1}`, Identity: identity,
		}
		if len(credits) > 0 {
			v.Limited, v.Credits = true, credits[0]
		}
		return v
	}
	for _, row := range []struct {
		name     string
		credits  fsm.NewCredits
		disabled bool
		expires  int64 // relative to now; 0: never
		cost     int64
		want     func(expires int64) *fsm.Verdict
		charged  uint64
	}{
		{name: "unlimited", cost: 1, want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never) }},
		{name: "unlimited at any cost", cost: math.MaxInt64, want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never) }},
		{name: "cost below the balance", credits: credits(5), cost: 2, charged: 2, want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never, 3) }},
		{name: "cost of the balance", credits: credits(5), cost: 5, charged: 5, want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never, 0) }},
		{name: "cost above the balance", credits: credits(2), cost: 10, want: func(int64) *fsm.Verdict { return full(fsm.UsageExceeded, true, never, 2) }},
		{name: "one too many", credits: credits(2), cost: 3, want: func(int64) *fsm.Verdict { return full(fsm.UsageExceeded, true, never, 2) }},
		{name: "nothing left", credits: credits(0), cost: 1, want: func(int64) *fsm.Verdict { return full(fsm.UsageExceeded, true, never, 0) }},
		{name: "cost 0 with nothing left", credits: credits(0), want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never, 0) }},
		{name: "cost 0", credits: credits(4), want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never, 4) }},
		{name: "the largest cost", credits: credits(math.MaxInt64), cost: math.MaxInt64, charged: math.MaxInt64, want: func(int64) *fsm.Verdict { return full(fsm.Valid, true, never, 0) }},
		{name: "disabled", disabled: true, credits: credits(5), cost: 1, want: func(int64) *fsm.Verdict { return full(fsm.Disabled, false, never, 5) }},
		{name: "disabled, unlimited", disabled: true, cost: 1, want: func(int64) *fsm.Verdict { return full(fsm.Disabled, false, never) }},
		{name: "expired", expires: -1, credits: credits(5), cost: 1, want: func(e int64) *fsm.Verdict { return full(fsm.Expired, true, e, 5) }},
		{name: "disabled wins over expired", disabled: true, expires: -1, credits: credits(5), cost: 1, want: func(e int64) *fsm.Verdict { return full(fsm.Disabled, false, e, 5) }},
		{name: "disabled wins over exhausted", disabled: true, credits: credits(0), cost: 1, want: func(int64) *fsm.Verdict { return full(fsm.Disabled, false, never, 0) }},
		{name: "expired wins over exhausted", expires: -1, credits: credits(0), cost: 1, want: func(e int64) *fsm.Verdict { return full(fsm.Expired, true, e, 0) }},
		{name: "expires later", expires: 1, credits: credits(5), cost: 1, charged: 1, want: func(e int64) *fsm.Verdict { return full(fsm.Valid, true, e, 4) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newLedger(t)
			advance(t, s, now)
			c := &fsm.CreateKey{
				ID: "key_a", Hash: fsm.Hash{'a'}, APIID: "api_1", Name: "n", Meta: `{"a":1}`, ExternalID: "alice",
				IdentityID: "id_of_key_a", Enabled: !row.disabled, Expires: fsm.Never, Credits: row.credits,
			}
			if row.expires != 0 {
				c.Expires = s.Clock() + row.expires
			}
			apply(t, s, c)
			require.Equal(t, row.want(c.Expires), verify(t, s, 'a', row.cost))
			require.Equal(t, row.charged, s.Stats().Totals.Debited)
			if row.charged == 0 {
				before := s.Digest()
				require.Equal(t, row.want(c.Expires), verify(t, s, 'a', row.cost))
				require.Equal(t, before, s.Digest(), "what charges nothing changes nothing, once the key is dated")
			}
		})
	}
}

// Expiry is strict: a key is good in the millisecond of its expiry and not in the next one. Contract 3.2.
func TestVerify_ExpiresStrictlyAfter(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	id := newKey(t, s, 'a', "", fsm.NewCredits{})
	apply(t, s, &fsm.UpdateKey{KeyID: id, Expires: fsm.Set(at(t, "2025-01-01 10:00:01.000"))})
	advance(t, s, "2025-01-01 10:00:01.000")
	require.Equal(t, fsm.Valid, verify(t, s, 'a', 1).Code)
	advance(t, s, "2025-01-01 10:00:01.001")
	require.Equal(t, fsm.Expired, verify(t, s, 'a', 1).Code)
	apply(t, s, &fsm.UpdateKey{KeyID: id, Expires: fsm.Clear[int64]()})
	require.Equal(t, fsm.Valid, verify(t, s, 'a', 1).Code)
}

// NOT_FOUND says nothing but that, whatever the reason: contract 3.3 and 3.7.
func TestVerify_NotFoundTellsNothing(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01")
	for _, name := range []byte("abcd") {
		newKey(t, s, name, "", credits(5))
	}
	apply(t, s, &fsm.DeleteKey{KeyID: "key_b"})
	apply(t, s, &fsm.DeleteKey{KeyID: "key_c", Permanent: true})
	apply(t, s, &fsm.UpdateKey{KeyID: "key_d", Enabled: fsm.Set(false)})
	require.Zero(t, code(apply(t, s, &fsm.CreateWorkspace{ID: "ws_2"})))
	foreign := newRoot(t, s, 'f', "ws_2", "api.*.verify_key", "api.api_1.verify_key")
	unable := newRoot(t, s, 'u', "", "api.*.read_key", "api.api_2.verify_key", "API.*.VERIFY_KEY", "*", "api.*.*")
	nothing := &fsm.Verdict{Code: fsm.NotFound}
	for name, call := range map[string]fsm.Call{
		"unknown":                   {Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'x'}, Cost: 1}},
		"a root key":                {Actor: root, Command: &fsm.VerifyKey{Hash: root, Cost: 1}},
		"deleted":                   {Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'b'}, Cost: 1}},
		"deleted for good":          {Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'c'}, Cost: 1}},
		"foreign":                   {Actor: foreign, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}},
		"foreign and disabled":      {Actor: foreign, Command: &fsm.VerifyKey{Hash: fsm.Hash{'d'}, Cost: 1}},
		"not permitted":             {Actor: unable, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}},
		"not permitted, disabled":   {Actor: unable, Command: &fsm.VerifyKey{Hash: fsm.Hash{'d'}, Cost: 1}},
		"not permitted, exhausting": {Actor: unable, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 99}},
	} {
		before := s.Digest()
		require.Equal(t, nothing, as(t, s, call.Actor, call.Command), name)
		require.Equal(t, before, s.Digest(), name)
	}
}

// With n credits at cost c exactly floor(n/c) verifications pass: contract 3.4.
func TestVerify_LetsFloorThrough(t *testing.T) {
	for _, row := range [][2]int64{{0, 1}, {7, 1}, {7, 2}, {7, 7}, {7, 8}, {100, 3}} {
		n, c := row[0], row[1]
		s := newLedger(t)
		newKey(t, s, 'a', "", credits(n))
		passed := int64(0)
		for range n + 2 {
			if verify(t, s, 'a', c).Code == fsm.Valid {
				passed++
			}
		}
		require.Equal(t, n/c, passed)
		require.Equal(t, n%c, getKey(t, s, "key_a").Credits.Remaining)
	}
}

// Contract 4.8: every combination of records and policies. Each verification costs 1.
func TestVerify_WhoPays(t *testing.T) {
	none := fsm.NewCredits{}
	type balances struct{ identity, key fsm.Credits }
	for _, row := range []struct {
		name          string
		identity, key fsm.NewCredits
		policy        fsm.Policy
		outcome       fsm.VerdictCode
		limited       bool
		credits       int64
		after         balances
	}{
		{"no record/identity", none, none, fsm.IdentityPays, fsm.Valid, false, 0, balances{}},
		{"no record/key", none, none, fsm.KeyPays, fsm.Valid, false, 0, balances{}},
		{"no record/both", none, none, fsm.BothPay, fsm.Valid, false, 0, balances{}},
		{"the key's only/identity", none, credits(10), fsm.IdentityPays, fsm.Valid, true, 9, balances{key: shown(9)}},
		{"the key's only/key", none, credits(10), fsm.KeyPays, fsm.Valid, true, 9, balances{key: shown(9)}},
		{"the key's only/both", none, credits(10), fsm.BothPay, fsm.Valid, true, 9, balances{key: shown(9)}},
		{"the identity's only/identity", credits(20), none, fsm.IdentityPays, fsm.Valid, true, 19, balances{identity: shown(19)}},
		{"the identity's only/key", credits(20), none, fsm.KeyPays, fsm.Valid, true, 19, balances{identity: shown(19)}},
		{"the identity's only/both", credits(20), none, fsm.BothPay, fsm.Valid, true, 19, balances{identity: shown(19)}},
		{"20 and 10/identity", credits(20), credits(10), fsm.IdentityPays, fsm.Valid, true, 19, balances{shown(19), shown(10)}},
		{"20 and 10/key", credits(20), credits(10), fsm.KeyPays, fsm.Valid, true, 9, balances{shown(20), shown(9)}},
		{"20 and 10/both", credits(20), credits(10), fsm.BothPay, fsm.Valid, true, 9, balances{shown(19), shown(9)}},
		{"5 and 10/both", credits(5), credits(10), fsm.BothPay, fsm.Valid, true, 4, balances{shown(4), shown(9)}},
		{"0 and 10/identity", credits(0), credits(10), fsm.IdentityPays, fsm.UsageExceeded, true, 0, balances{shown(0), shown(10)}},
		{"0 and 10/key", credits(0), credits(10), fsm.KeyPays, fsm.Valid, true, 9, balances{shown(0), shown(9)}},
		{"0 and 10/both", credits(0), credits(10), fsm.BothPay, fsm.UsageExceeded, true, 0, balances{shown(0), shown(10)}},
		{"20 and 0/identity", credits(20), credits(0), fsm.IdentityPays, fsm.Valid, true, 19, balances{shown(19), shown(0)}},
		{"20 and 0/key", credits(20), credits(0), fsm.KeyPays, fsm.UsageExceeded, true, 0, balances{shown(20), shown(0)}},
		{"20 and 0/both", credits(20), credits(0), fsm.BothPay, fsm.UsageExceeded, true, 0, balances{shown(20), shown(0)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newLedger(t)
			newIdentity(t, s, "alice", row.identity, row.policy)
			newKey(t, s, 'a', "alice", row.key)
			free := verify(t, s, 'a', 0)
			require.Equal(t, fsm.Valid, free.Code, "cost 0 passes at any balance")
			v := verify(t, s, 'a', 1)
			require.Equal(t, row.outcome, v.Code)
			require.Equal(t, row.limited, v.Limited)
			require.Equal(t, row.credits, v.Credits)
			k := getKey(t, s, "key_a")
			require.Equal(t, row.after, balances{k.Identity.Credits, k.Credits})
		})
	}
}

// A change of policy, of the identity's record or of the link holds from the next verification: contract 4.8 and 4.10.
func TestVerify_FollowsEveryChangeAtOnce(t *testing.T) {
	s := newLedger(t)
	newIdentity(t, s, "alice", credits(20), fsm.IdentityPays)
	newIdentity(t, s, "bob", credits(3), fsm.IdentityPays)
	id := newKey(t, s, 'a', "alice", credits(10))
	expect := func(want int64) {
		t.Helper()
		v := verify(t, s, 'a', 1)
		require.True(t, v.Limited)
		require.Equal(t, want, v.Credits)
	}
	expect(19)
	apply(t, s, &fsm.UpdateIdentity{Identity: "alice", Policy: fsm.Set(fsm.KeyPays)})
	expect(9)
	apply(t, s, &fsm.UpdateIdentity{Identity: "alice", Policy: fsm.Set(fsm.BothPay)})
	expect(8) // 18 and 8
	apply(t, s, &fsm.UpdateIdentity{Identity: "alice", Credits: fsm.CreditsChange{Unlimited: true}})
	expect(7)
	apply(t, s, &fsm.UpdateKey{KeyID: id, ExternalID: fsm.Set("bob")})
	expect(2)
	apply(t, s, &fsm.UpdateKey{KeyID: id, ExternalID: fsm.Clear[string]()})
	expect(6)
	apply(t, s, &fsm.UpdateKey{KeyID: id, ExternalID: fsm.Set("bob")})
	expect(1)
	apply(t, s, &fsm.DeleteIdentity{Identity: "bob"})
	expect(5)
	apply(t, s, &fsm.UpdateKeyCredits{KeyID: id, Change: fsm.BalanceChange{Op: fsm.SetBalance}})
	require.False(t, verify(t, s, 'a', 1).Limited, "unlimited passes uncharged: contract 4.9")
}

// A key keeps referring to its deleted identity, and a new one of the same name is another: contract 2.4.
func TestDeleteIdentity_FreesItsNameAndNotItsKeys(t *testing.T) {
	s := newLedger(t)
	newIdentity(t, s, "alice", credits(20), fsm.IdentityPays)
	id := newKey(t, s, 'a', "alice", credits(10))
	require.Equal(t, &fsm.Done{}, apply(t, s, &fsm.DeleteIdentity{Identity: "alice"}))
	require.Equal(t, fsm.IdentityNotFound, code(apply(t, s, &fsm.DeleteIdentity{Identity: "alice"})))
	require.Equal(t, fsm.IdentityNotFound, code(apply(t, s, &fsm.DeleteIdentity{Identity: "id_alice"})))
	require.Nil(t, getKey(t, s, id).Identity)
	require.Nil(t, verify(t, s, 'a', 1).Identity)
	require.Equal(t, &fsm.Created{ID: "id_2"}, apply(t, s, &fsm.CreateIdentity{ID: "id_2", ExternalID: "alice", Credits: credits(7)}))
	require.Nil(t, getKey(t, s, id).Identity)
	require.EqualValues(t, 8, verify(t, s, 'a', 1).Credits)
	apply(t, s, &fsm.UpdateKey{KeyID: id, ExternalID: fsm.Set("alice")})
	require.EqualValues(t, 6, verify(t, s, 'a', 1).Credits)
}

// lastUsedAt is up to a minute late, so that a busy key is not written for it each time: contract 2.0.
func TestVerify_DatesTheKeyOncePerMinute(t *testing.T) {
	s := newLedger(t)
	advance(t, s, "2025-01-01 10:00:00.000")
	id := newKey(t, s, 'a', "", credits(100))
	used := func() int64 { return getKey(t, s, id).LastUsedAt }
	require.Zero(t, used(), "never used")
	verify(t, s, 'a', 1)
	require.Equal(t, at(t, "2025-01-01 10:00:00.000"), used())
	advance(t, s, "2025-01-01 10:00:59.999")
	verify(t, s, 'a', 1)
	require.Equal(t, at(t, "2025-01-01 10:00:00.000"), used())
	advance(t, s, "2025-01-01 10:01:00.000")
	verify(t, s, 'a', 1)
	require.Equal(t, at(t, "2025-01-01 10:01:00.000"), used())
}

// A verification that charges nothing dates the key too, through the log once a minute, and not when it is refused: contract 2.0.
func TestVerify_DatesTheKeyWhateverTheOutcome(t *testing.T) {
	for name, row := range map[string]struct {
		credits fsm.NewCredits
		ask     fsm.VerifyKey
		enabled bool
		dates   bool
	}{
		"unlimited":      {ask: fsm.VerifyKey{Cost: 1}, enabled: true, dates: true},
		"cost 0":         {credits: credits(1), enabled: true, dates: true},
		"usage exceeded": {credits: credits(1), ask: fsm.VerifyKey{Cost: 2}, enabled: true, dates: true},
		"disabled":       {ask: fsm.VerifyKey{Cost: 1}, dates: true},
		"not permitted":  {ask: fsm.VerifyKey{Cost: 1, Query: "nobody"}, enabled: true, dates: true},
		"a bad query":    {ask: fsm.VerifyKey{Cost: 1, Query: "("}, enabled: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLedger(t)
			advance(t, s, "2025-01-01 10:00:00.000")
			id := newKey(t, s, 'a', "", row.credits)
			apply(t, s, &fsm.UpdateKey{KeyID: id, Enabled: fsm.Set(row.enabled)})
			row.ask.Hash = fsm.Hash{'a'}
			call := fsm.Call{Actor: root, Command: &row.ask}
			for _, c := range []fsm.Call{call, {Actor: root, Command: &fsm.VerifyKeys{Items: []fsm.Verification{{Command: &row.ask}}}}} {
				_, peeked := s.Peek(&c)
				require.Equal(t, row.dates, !peeked)
				_, peeked = s.PeekWithoutLastUsed(&c)
				require.True(t, peeked, "nothing else changes")
			}
			apply(t, s, &row.ask)
			want := int64(0)
			if row.dates {
				want = at(t, "2025-01-01 10:00:00.000")
			}
			require.Equal(t, want, getKey(t, s, id).LastUsedAt)
			_, peeked := s.Peek(&call)
			require.True(t, peeked, "it is dated already")
		})
	}
}

// What Peek answers needs no log entry: a denial, an unlimited key, an unknown caller. What charges does.
func TestPeek_AnswersWhatChangesNothing(t *testing.T) {
	s := newLedger(t)
	newKey(t, s, 'a', "", credits(1))
	newKey(t, s, 'b', "", fsm.NewCredits{})
	for name, row := range map[string]struct {
		call fsm.Call
		ok   bool
	}{
		"a charge":           {fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}}, false},
		"cost 0":             {fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}}}, true},
		"a denial":           {fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 2}}, true},
		"unlimited":          {fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'b'}, Cost: 2}}, true},
		"unknown":            {fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'x'}, Cost: 2}}, true},
		"an unknown caller":  {fsm.Call{Command: &fsm.DeleteKey{KeyID: "key_a"}}, true},
		"a change":           {fsm.Call{Actor: root, Command: &fsm.DeleteKey{KeyID: "key_a"}}, false},
		"a second bootstrap": {fsm.Call{Command: &fsm.Bootstrap{ClusterID: "cl_2"}}, true},
	} {
		before := s.Digest()
		_, ok := s.Peek(&row.call)
		require.Equal(t, row.ok, ok, name)
		require.Equal(t, before, s.Digest(), name)
	}
	_, ok := fsm.New().Peek(&fsm.Call{Command: &fsm.Bootstrap{ClusterID: "cl_1"}})
	require.False(t, ok)
}

// What Peek answers without the log, Apply would have answered too: contract 3.4.
func TestPeek_RefusesANegativeCostAsApplyDoes(t *testing.T) {
	s := newLedger(t)
	call := fsm.Call{Actor: root, Command: &fsm.VerifyKey{Cost: -1}}
	r, ok := s.Peek(&call)
	require.True(t, ok)
	require.Equal(t, r, apply(t, s, call.Command))
	require.Equal(t, fsm.InvalidInput, r.(*fsm.Refusal).Code)
}
