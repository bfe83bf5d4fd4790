package fsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// family is a ledger with an identity that has 5 credits, and its keys: key_a has no record, key_b has 3 credits.
func family(t testing.TB, version uint64) *fsm.State {
	t.Helper()
	s := newLedgerOf(t, version)
	advance(t, s, "2025-01-01 10:00:00.000")
	newIdentity(t, s, "u", credits(5, daily(5)), fsm.IdentityPays)
	newKey(t, s, 'a', "u", unlimitedKey)
	newKey(t, s, 'b', "u", credits(3))
	return s
}

var unlimitedKey fsm.NewCredits

// decided is what a verification of cost 2 says.
type decided struct {
	code    fsm.VerdictCode
	limited bool
	credits int64
}

var (
	nothingLeft = decided{fsm.UsageExceeded, true, 0}
	free        = decided{fsm.Valid, false, 0}
	notFound    = decided{fsm.NotFound, false, 0}
)

func charge(t testing.TB, s *fsm.State, name byte) decided {
	t.Helper()
	v := verify(t, s, name, 2)
	return decided{v.Code, v.Limited, v.Credits}
}

func deleteOwner(keys bool) fsm.Command { return &fsm.DeleteIdentity{Identity: "u", DeleteKeys: keys} }

func setCredits(id string, c fsm.BalanceChange) fsm.Command {
	return &fsm.UpdateKeyCredits{KeyID: id, Change: c}
}

func updateCredits(id string, c fsm.CreditsChange) fsm.Command {
	return &fsm.UpdateKey{KeyID: id, Credits: c}
}

func reroll(id string) fsm.Command {
	return &fsm.RerollKey{KeyID: id, NewID: "key_z", Hash: fsm.Hash{'z'}, Expiration: 3_600_000}
}

// Of every way in which the record that pays for a key can vanish: only a deleted identity leaves a key that nobody made unlimited. It has
// nothing to spend until somebody decides otherwise [D-23].
func TestVanishedRecord_LeavesNobodyUnlimited(t *testing.T) {
	up, down := fsm.BalanceChange{Op: fsm.Increment, Limited: true, Value: 7}, fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 7}
	set := func(n int64) fsm.BalanceChange { return fsm.BalanceChange{Op: fsm.SetBalance, Limited: true, Value: n} }
	clearCredits := fsm.BalanceChange{Op: fsm.SetBalance}
	link := func(id, externalID string) fsm.Command {
		return &fsm.UpdateKey{KeyID: id, ExternalID: fsm.Set(externalID), IdentityID: "id_new"}
	}
	unlink := func(id string) fsm.Command { return &fsm.UpdateKey{KeyID: id, ExternalID: fsm.Clear[string]()} }
	gone := deleteOwner(false)
	for name, row := range map[string]struct {
		do   []fsm.Command
		key  byte
		want decided
	}{
		"nothing happened":                     {nil, 'a', decided{fsm.Valid, true, 3}},
		"deleted":                              {[]fsm.Command{gone}, 'a', nothingLeft},
		"deleted, a record of its own":         {[]fsm.Command{gone}, 'b', decided{fsm.Valid, true, 1}},
		"deleted with its keys":                {[]fsm.Command{deleteOwner(true)}, 'a', notFound},
		"deleted with its keys, own record":    {[]fsm.Command{deleteOwner(true)}, 'b', notFound},
		"deleted while it was empty":           {[]fsm.Command{&fsm.UpdateIdentity{Identity: "u", Credits: fsm.CreditsChange{Remaining: fsm.Set(int64(0))}}, gone}, 'a', nothingLeft},
		"deleted while it was unlimited":       {[]fsm.Command{&fsm.UpdateIdentity{Identity: "u", Credits: fsm.CreditsChange{Unlimited: true}}, gone}, 'a', free},
		"made unlimited":                       {[]fsm.Command{&fsm.UpdateIdentity{Identity: "u", Credits: fsm.CreditsChange{Unlimited: true}}}, 'a', free},
		"the externalId is given out again":    {[]fsm.Command{gone, &fsm.CreateIdentity{ID: "id_v", ExternalID: "u"}}, 'a', nothingLeft},
		"the identity is made again by a key":  {[]fsm.Command{gone, &fsm.CreateKey{ID: "key_c", Hash: fsm.Hash{'c'}, APIID: "api_1", Enabled: true, Expires: fsm.Never, ExternalID: "u", IdentityID: "id_v"}}, 'a', nothingLeft},
		"made again, and linked":               {[]fsm.Command{gone, &fsm.CreateIdentity{ID: "id_v", ExternalID: "u", Credits: credits(9)}, link("key_a", "u")}, 'a', decided{fsm.Valid, true, 7}},
		"linked to a new identity":             {[]fsm.Command{gone, link("key_a", "v")}, 'a', free},
		"linked, and that one deleted":         {[]fsm.Command{gone, &fsm.CreateIdentity{ID: "id_v", ExternalID: "v", Credits: credits(9)}, link("key_a", "v"), &fsm.DeleteIdentity{Identity: "v"}}, 'a', nothingLeft},
		"linked, and that unlimited one too":   {[]fsm.Command{gone, link("key_a", "v"), &fsm.DeleteIdentity{Identity: "v"}}, 'a', free},
		"unlinked from the deleted one":        {[]fsm.Command{gone, unlink("key_a")}, 'a', free},
		"unlinked from a live one":             {[]fsm.Command{unlink("key_a")}, 'a', free},
		"rerolled before":                      {[]fsm.Command{reroll("key_a"), gone}, 'z', nothingLeft},
		"rerolled after":                       {[]fsm.Command{gone, reroll("key_a")}, 'z', nothingLeft},
		"rerolled after, the old one":          {[]fsm.Command{gone, reroll("key_a")}, 'a', nothingLeft},
		"rerolled after, own record":           {[]fsm.Command{gone, reroll("key_b")}, 'z', decided{fsm.Valid, true, 1}},
		"rerolled after, own record cleared":   {[]fsm.Command{gone, reroll("key_b"), setCredits("key_z", clearCredits)}, 'z', free},
		"deleted key":                          {[]fsm.Command{gone, &fsm.DeleteKey{KeyID: "key_a"}}, 'a', notFound},
		"deleted key, permanently":             {[]fsm.Command{gone, &fsm.DeleteKey{KeyID: "key_a", Permanent: true}}, 'a', notFound},
		"another key deleted permanently":      {[]fsm.Command{&fsm.DeleteKey{KeyID: "key_b", Permanent: true}, gone}, 'a', nothingLeft},
		"deleted API":                          {[]fsm.Command{gone, &fsm.DeleteAPI{APIID: "api_1"}}, 'a', notFound},
		"the policy changed to a missing one":  {[]fsm.Command{&fsm.UpdateIdentity{Identity: "u", Policy: fsm.Set(fsm.KeyPays)}}, 'a', decided{fsm.Valid, true, 3}},
		"the policy changed, then deleted":     {[]fsm.Command{&fsm.UpdateIdentity{Identity: "u", Policy: fsm.Set(fsm.KeyPays)}, gone}, 'a', nothingLeft},
		"both pay, then deleted":               {[]fsm.Command{&fsm.UpdateIdentity{Identity: "u", Policy: fsm.Set(fsm.BothPay)}, gone}, 'b', decided{fsm.Valid, true, 1}},
		"given credits":                        {[]fsm.Command{gone, setCredits("key_a", set(9))}, 'a', decided{fsm.Valid, true, 7}},
		"given credits one by one":             {[]fsm.Command{gone, setCredits("key_a", up)}, 'a', decided{fsm.Valid, true, 5}},
		"given 0, and unlinked":                {[]fsm.Command{gone, setCredits("key_a", set(0)), unlink("key_a")}, 'a', nothingLeft},
		"taken from":                           {[]fsm.Command{gone, setCredits("key_a", down)}, 'a', nothingLeft},
		"taken from, and unlinked":             {[]fsm.Command{gone, setCredits("key_a", down), unlink("key_a")}, 'a', free},
		"made unlimited after":                 {[]fsm.Command{gone, setCredits("key_a", clearCredits)}, 'a', free},
		"made unlimited after by updateKey":    {[]fsm.Command{gone, updateCredits("key_a", fsm.CreditsChange{Unlimited: true})}, 'a', free},
		"given by updateKey":                   {[]fsm.Command{gone, updateCredits("key_a", fsm.CreditsChange{Remaining: fsm.Set(int64(4))})}, 'a', decided{fsm.Valid, true, 2}},
		"given a refill":                       {[]fsm.Command{gone, updateCredits("key_a", fsm.CreditsChange{Refill: fsm.Set(daily(4))})}, 'a', nothingLeft},
		"no refill":                            {[]fsm.Command{gone, updateCredits("key_a", fsm.CreditsChange{Refill: fsm.Clear[fsm.Refill]()})}, 'a', nothingLeft},
		"updated otherwise":                    {[]fsm.Command{gone, &fsm.UpdateKey{KeyID: "key_a", Name: fsm.Set("n")}}, 'a', nothingLeft},
		"own record made unlimited after":      {[]fsm.Command{gone, setCredits("key_b", clearCredits)}, 'b', free},
		"own record cleared by updateKey":      {[]fsm.Command{gone, updateCredits("key_b", fsm.CreditsChange{Unlimited: true})}, 'b', free},
		"own record made unlimited before":     {[]fsm.Command{setCredits("key_b", clearCredits), gone}, 'b', nothingLeft},
		"unlimited in one step with unlinking": {[]fsm.Command{gone, &fsm.UpdateKey{KeyID: "key_a", ExternalID: fsm.Clear[string](), Credits: fsm.CreditsChange{Remaining: fsm.Set(int64(2))}}}, 'a', decided{fsm.Valid, true, 0}},
	} {
		s := family(t, fsmtest.SecondRules)
		for _, c := range row.do {
			require.Zero(t, code(apply(t, s, c)), "%s: %T", name, c)
		}
		for _, s := range []*fsm.State{restored(t, s), s} {
			require.Equal(t, row.want, charge(t, s, row.key), name)
		}
	}
}

// A migrated key is the same: what it was linked to decides, before and after it was found by its old hash.
func TestVanishedRecord_OfAMigratedKey(t *testing.T) {
	s := family(t, fsmtest.SecondRules)
	require.Zero(t, code(apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.PrefixedAPIKey})))
	apply(t, s, &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1", Keys: []fsm.MigratedKey{
		{ID: "key_m", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey, Expires: fsm.Never, Enabled: true, ExternalID: "u"},
	}})
	apply(t, s, deleteOwner(false))
	c := &fsm.VerifyMigrated{Verify: fsm.VerifyKey{Hash: fsm.Hash{'f'}, Cost: 1}, MigrationID: "mig", Hash: fsm.Hash{'m'}, Start: "a_b"}
	require.Equal(t, fsm.UsageExceeded, apply(t, s, c).(*fsm.Verdict).Code)
	c.Verify.Cost = 0
	require.Equal(t, fsm.Valid, apply(t, s, c).(*fsm.Verdict).Code)
	require.Equal(t, nothingLeft, charge(t, s, 'f'))
}

// What the deletion books and shows: the balance with a due refill is withdrawn, and an orphaned key shows 0, and asks like a key with 0.
func TestDeleteIdentity_WithdrawsItsBalance(t *testing.T) {
	s := family(t, fsmtest.SecondRules)
	verify(t, s, 'a', 4)
	advance(t, s, "2025-01-02 10:00:00.000")
	before := s.Stats().Totals
	require.Zero(t, code(apply(t, s, deleteOwner(false))))
	totals := s.Stats().Totals
	require.Equal(t, before.Granted+4, totals.Granted)
	require.Equal(t, before.Withdrawn+5, totals.Withdrawn)
	require.Equal(t, uint64(3), totals.Outstanding())
	require.Equal(t, 1, s.Stats().CreditRecords)

	require.Equal(t, shown(0), getKey(t, s, "key_a").Credits)
	require.Nil(t, getKey(t, s, "key_a").Identity)
	advance(t, s, "2025-01-03 10:00:00.000")
	require.Equal(t, nothingLeft, charge(t, s, 'a'), "nothing is refilled")
	free := apply(t, s, &fsm.VerifyKey{Hash: fsm.Hash{'a'}}).(*fsm.Verdict)
	require.Equal(t, decided{fsm.Valid, true, 0}, decided{free.Code, free.Limited, free.Credits}, "cost 0 passes at any balance")
	_, ok := s.Peek(&fsm.Call{Actor: root, Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}})
	require.True(t, ok, "a denial needs no entry")

	both := &fsm.VerifyKeys{Atomic: true, Items: []fsm.Verification{
		{Command: &fsm.VerifyKey{Hash: fsm.Hash{'b'}, Cost: 1}}, {Command: &fsm.VerifyKey{Hash: fsm.Hash{'a'}, Cost: 1}},
	}}
	require.False(t, apply(t, s, both).(*fsm.Verdicts).Passed)
	require.Equal(t, shown(3), getKey(t, s, "key_b").Credits)

	none := shown(0)
	require.Equal(t, &none, apply(t, s, setCredits("key_a", fsm.BalanceChange{Op: fsm.Decrement, Limited: true, Value: 3})))
	require.Equal(t, fsm.InvalidInput, code(apply(t, s, &fsm.UpdateKey{
		KeyID: "key_a", ExternalID: fsm.Clear[string](), Credits: fsm.CreditsChange{Refill: fsm.Set(daily(1))},
	})), "unlinked, it is unlimited, and has nothing to refill")
	require.Zero(t, code(apply(t, s, updateCredits("key_a", fsm.CreditsChange{Refill: fsm.Set(daily(4))}))))
	require.Equal(t, shown(0, daily(4)), getKey(t, s, "key_a").Credits)
	advance(t, s, "2025-01-04 10:00:00.000")
	require.Equal(t, decided{fsm.Valid, true, 2}, charge(t, s, 'a'))
}

// An older ledger keeps its rule, and what was deleted under it stays as it was told to be.
func TestDeleteIdentity_BelowLedgerVersion2(t *testing.T) {
	s := family(t, 1)
	require.Equal(t, fsm.LedgerVersionTooLow, code(apply(t, s, deleteOwner(true))))
	require.Zero(t, code(apply(t, s, deleteOwner(false))))
	require.Equal(t, free, charge(t, s, 'a'))
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.SecondRules, Build: "v1.2.3"})
	require.Equal(t, free, charge(t, s, 'a'))
	require.Equal(t, free, charge(t, restored(t, s), 'a'))
}

// Keys that are deleted with their identity are in no list and under no id, at once and after a restart, and need a permission.
func TestDeleteIdentity_WithItsKeys(t *testing.T) {
	s := family(t, fsmtest.SecondRules)
	newKey(t, s, 'c', "", unlimitedKey)
	narrow := newRoot(t, s, 'n', "", "identity.*.delete_identity", "api.api_1.delete_key")
	r := as(t, s, narrow, deleteOwner(true)).(*fsm.Refusal)
	require.Equal(t, fsm.InsufficientPermissions, r.Code)
	require.Equal(t, []string{"api.*.delete_key"}, r.Accepted)
	require.Equal(t, fsm.Valid, verify(t, s, 'a', 1).Code)
	wide := newRoot(t, s, 'w', "", "identity.*.delete_identity", "api.*.delete_key")
	require.Zero(t, code(as(t, s, wide, deleteOwner(true))))
	for _, s := range []*fsm.State{restored(t, s), s} {
		for _, id := range []string{"key_a", "key_b"} {
			require.Equal(t, fsm.KeyNotFound, code(s.Answer(root, &fsm.GetKey{KeyID: id})))
			require.Equal(t, fsm.KeyNotFound, code(apply(t, s, &fsm.DeleteKey{KeyID: id, Permanent: true})))
			require.Equal(t, fsm.KeyNotFound, code(apply(t, s, reroll(id))))
		}
		require.Equal(t, fsm.KeyNotFound, code(s.Answer(root, &fsm.WhoAmI{Hash: fsm.Hash{'a'}})))
		list := s.Answer(root, &fsm.ListKeys{APIID: "api_1", Page: fsm.Page{Limit: 1}}).(*fsm.Keys)
		require.Len(t, list.List, 1)
		require.Equal(t, "key_c", list.List[0].ID)
		require.Empty(t, list.Next)
	}
}
