package fsm_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// tick applies an entry that only moves log time, as any entry does.
func tick(t testing.TB, s *fsm.State) {
	t.Helper()
	s.Apply(fsm.Batch{Stamp: s.Clock() + 1})
	require.NoError(t, s.CheckInvariants())
}

// settled removes everything that is deleted, and checks that no entry does more than its share.
func settled(t testing.TB, s *fsm.State) (entries int) {
	t.Helper()
	for {
		before := s.Stats()
		things := func(st fsm.Stats) int { return st.Keys + st.Identities + st.APIs }
		tick(t, s)
		removed := things(before) - things(s.Stats())
		require.LessOrEqual(t, removed, 16)
		if removed == 0 {
			return entries
		}
		entries++
	}
}

var limited = []fsm.Ratelimit{
	{ID: "rl_1", Name: "a", Limit: 5, Duration: 300 * day, AutoApply: true}, {ID: "rl_2", Name: "b", Limit: 5, Duration: 60_000, AutoApply: true},
}

// inAPI adds keys with credits and two used rate limits to an API, for an identity unless its externalId is empty.
func inAPI(t testing.TB, s *fsm.State, apiID, externalID string, n int) {
	t.Helper()
	for i := range n {
		hash := fsm.Hash{'g', byte(i), byte(i >> 8)}
		copy(hash[3:], apiID)
		require.Zero(t, code(apply(t, s, &fsm.CreateKey{
			ID: fmt.Sprintf("key_%s%03d", apiID, i), Hash: hash, APIID: apiID, Enabled: true, Expires: fsm.Never, Credits: credits(7),
			ExternalID: externalID, IdentityID: "id_" + externalID, Ratelimits: limited, Meta: `{"m":1}`,
		})))
		require.Equal(t, fsm.Valid, apply(t, s, &fsm.VerifyKey{Hash: hash, Cost: 1}).(*fsm.Verdict).Code)
	}
}

// Everything that a deleted API had goes, some of it with each entry: keys, credits, windows, and then the API.
func TestGraveyard_TakesADeletedAPI(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FourthRules)
	advance(t, s, "2025-01-01")
	before := s.Stats()
	require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: "api_9", KeyspaceID: "ks_9", Name: "gone"})))
	inAPI(t, s, "api_9", "u", 100)
	require.Equal(t, 200, s.Stats().RatelimitWindows)
	require.Zero(t, code(apply(t, s, &fsm.DeleteAPI{APIID: "api_9"})))
	require.EqualValues(t, 100, usedBy(t, s)[fsm.KeysQuota], "until their records are removed")
	require.Equal(t, 7, settled(t, s), "16 with each entry")
	after := s.Stats()
	require.Equal(t, before.Keys, after.Keys)
	require.Equal(t, before.APIs, after.APIs)
	require.Equal(t, before.CreditRecords, after.CreditRecords)
	require.Zero(t, after.RatelimitWindows)
	require.Zero(t, after.Totals.Outstanding(), "what was left is withdrawn")
	require.Zero(t, usedBy(t, s)[fsm.KeysQuota])
	require.Equal(t, before.Identities+1, after.Identities, "the identity lives")
	require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: "api_9", KeyspaceID: "ks_8", Name: "again"})))
}

// The keys of an identity go with it, wherever they are, and then the identity.
func TestGraveyard_TakesAnIdentityWithItsKeys(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FourthRules)
	advance(t, s, "2025-01-01")
	before := s.Stats()
	for _, id := range []string{"api_9", "api_8"} {
		require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: id, KeyspaceID: "ks_" + id, Name: id})))
		inAPI(t, s, id, "u", 20)
	}
	apply(t, s, &fsm.UpdateIdentity{Identity: "u", Meta: fsm.Set(strings.Repeat("m", 1000)), Ratelimits: fsm.Set([]fsm.Ratelimit{
		{ID: "rl_9", Name: "shared", Limit: 5, Duration: 300 * day, AutoApply: true},
	})})
	require.Equal(t, 80, s.Stats().RatelimitWindows)
	require.Zero(t, code(apply(t, s, &fsm.DeleteIdentity{Identity: "u", DeleteKeys: true})))
	settled(t, s)
	after := s.Stats()
	require.Equal(t, before.Keys, after.Keys)
	require.Equal(t, before.Identities, after.Identities)
	require.Zero(t, after.RatelimitWindows)
	require.Zero(t, after.Totals.Outstanding())
	require.Equal(t, before.APIs+2, after.APIs, "its APIs live")
}

// A deleted identity stays without its meta while a key refers to it, because it says that the key has nothing to spend.
func TestGraveyard_KeepsAnIdentityThatKeysReferTo(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FourthRules)
	advance(t, s, "2025-01-01")
	newIdentity(t, s, "u", credits(5), fsm.IdentityPays)
	newKey(t, s, 'k', "u", fsm.NewCredits{})
	identities := s.Stats().Identities
	require.Zero(t, code(apply(t, s, &fsm.DeleteIdentity{Identity: "u"})))
	settled(t, s)
	require.Equal(t, identities, s.Stats().Identities)
	require.Equal(t, fsm.UsageExceeded, verify(t, s, 'k', 1).Code)
	apply(t, s, &fsm.UpdateKey{KeyID: "key_k", ExternalID: fsm.Clear[string]()})
	settled(t, s)
	require.Equal(t, identities-1, s.Stats().Identities, "nothing refers to it any more")
	require.Equal(t, fsm.Valid, verify(t, s, 'k', 1).Code)
}

// Below ledger version 4 everything stays. When the version rises, it goes.
func TestGraveyard_TakesWhatIsFromBefore(t *testing.T) {
	s := newLedgerOf(t, fsmtest.ThirdRules)
	advance(t, s, "2025-01-01")
	before := s.Stats()
	require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: "api_9", KeyspaceID: "ks_9", Name: "gone"})))
	inAPI(t, s, "api_9", "u", 20)
	newKey(t, s, 'k', "", credits(3))
	newIdentity(t, s, "v", credits(5), fsm.IdentityPays)
	newKey(t, s, 'l', "v", fsm.NewCredits{})
	apply(t, s, &fsm.UpdateIdentity{Identity: "v", Meta: fsm.Set("{}")})
	for _, c := range []fsm.Command{
		&fsm.DeleteKey{KeyID: "key_k"}, &fsm.DeleteIdentity{Identity: "v"}, &fsm.DeleteIdentity{Identity: "u", DeleteKeys: true}, &fsm.DeleteAPI{APIID: "api_9"},
	} {
		require.Zero(t, code(apply(t, s, c)))
	}
	full := s.Stats()
	require.Zero(t, settled(t, s))
	require.Equal(t, full.Keys, s.Stats().Keys)
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.FourthRules, Build: "v1.4.0"})
	settled(t, s)
	after := s.Stats()
	require.Equal(t, before.Keys+1, after.Keys)
	require.Equal(t, before.APIs, after.APIs)
	require.Equal(t, before.Identities+1, after.Identities)
	require.Equal(t, fsm.UsageExceeded, verify(t, s, 'l', 1).Code)
}

// A node that restarts in the middle removes the same things with the same entries, and so does one that restarts after each of them.
func TestGraveyard_GoesOnAfterARestart(t *testing.T) {
	s := newLedgerOf(t, fsmtest.ThirdRules)
	advance(t, s, "2025-01-01")
	for _, id := range []string{"api_9", "api_8", "api_7"} {
		require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: id, KeyspaceID: "ks_" + id, Name: id})))
	}
	inAPI(t, s, "api_9", "u", 30)
	inAPI(t, s, "api_8", "u", 30)
	inAPI(t, s, "api_7", "w", 30)
	apply(t, s, &fsm.UpdateIdentity{Identity: "w", Meta: fsm.Set(`{"m":1}`)})
	for _, c := range []fsm.Command{
		&fsm.DeleteKey{KeyID: "key_api_7003"}, &fsm.DeleteIdentity{Identity: "w"}, &fsm.DeleteAPI{APIID: "api_8"},
		&fsm.DeleteIdentity{Identity: "u", DeleteKeys: true}, &fsm.DeleteAPI{APIID: "api_7"},
	} {
		require.Zero(t, code(apply(t, s, c)))
	}
	raiseBeside(t, s, fsmtest.FourthRules)
	require.Equal(t, 2, s.Stats().APIs)
	require.Zero(t, s.Stats().Keys)
	require.Zero(t, s.Stats().Identities)
	require.Zero(t, settled(t, s))
}

// restarted takes a snapshot into records and loads it.
func restarted(t testing.TB, s *fsm.State, records map[fsm.RecordKey]fsm.Record) *fsm.State {
	t.Helper()
	frozen := s.Freeze()
	for !frozen.Done() {
		for _, c := range frozen.Next(100, nil) {
			if records[c.Name()] = c.Record; c.Record == nil {
				delete(records, c.Name())
			}
		}
	}
	frozen.Release(true)
	l := fsm.NewLoader()
	order := func(a, b fsm.RecordKey) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID)) }
	for _, name := range slices.SortedFunc(maps.Keys(records), order) {
		require.NoError(t, l.Add(records[name]))
	}
	loaded, err := l.Finish(frozen.Digest)
	require.NoError(t, err)
	return loaded
}

// raiseBeside raises the ledger version, and lets ten entries follow. A ledger that is restarted before the rise, and after each entry, must
// be equal all the time, and so must be what its workspaces use.
func raiseBeside(t *testing.T, s *fsm.State, version uint64) {
	t.Helper()
	records := map[fsm.RecordKey]fsm.Record{}
	again := restarted(t, s, records)
	raise := &fsm.RaiseLedgerVersion{Version: version, Build: "v1.5.0"}
	apply(t, s, raise)
	apply(t, again, raise)
	for range 10 {
		tick(t, s)
		tick(t, again)
		require.Equal(t, s.Digest(), again.Digest())
		require.Equal(t, usedBy(t, s), usedBy(t, again))
		again = restarted(t, again, records)
	}
}

// A workspace that deletes more than the ledger removes holds up no other one, from ledger version 5 on.
func TestGraveyard_TakesTurns(t *testing.T) {
	s := newLedgerOf(t, fsmtest.FifthRules)
	other := tenants(t, s, 0, 1)[0]
	tick(t, s)
	require.Zero(t, code(apply(t, s, &fsm.CreateAPI{ID: "api_0", KeyspaceID: "ks_0"})))
	inAPI(t, s, "api_0", "", 200)
	require.Zero(t, code(apply(t, s, &fsm.DeleteAPI{APIID: "api_0"})))
	require.Zero(t, code(as(t, s, other, &fsm.CreateAPI{ID: "api_z", KeyspaceID: "ks_z"})))
	for i := range 20 {
		require.Zero(t, code(as(t, s, other, &fsm.CreateKey{ID: fmt.Sprint("key_z", i), Hash: fsm.Hash{'z', byte(i)}, APIID: "api_z", Expires: fsm.Never})))
	}
	require.Zero(t, code(as(t, s, other, &fsm.DeleteAPI{APIID: "api_z"})))
	records := map[fsm.RecordKey]fsm.Record{}
	again := restarted(t, s, records)
	for range 3 {
		tick(t, s)
		tick(t, again)
		require.Equal(t, s.Digest(), again.Digest())
		again = restarted(t, again, records)
	}
	list := s.Answer(root, &fsm.ListWorkspaces{Page: fsm.Page{Limit: 10}}).(*fsm.Workspaces).List
	require.Zero(t, list[1].Used[fsm.KeysQuota], "half of the steps are its own")
	require.Positive(t, list[0].Used[fsm.KeysQuota])
}

// What the last key of a workspace's queue frees goes with the same entry, for a step is left. Below ledger version 4 a deleted key stays.
func TestGraveyard_KeepsTheTurnForWhatAKeyFrees(t *testing.T) {
	s := newLedgerOf(t, fsmtest.SecondRules)
	require.Zero(t, code(apply(t, s, &fsm.CreateRole{ID: "role_1", Name: "gone"})))
	require.Zero(t, code(apply(t, s, &fsm.CreateKey{
		ID: "key_1", Hash: fsm.Hash{'z'}, APIID: "api_1", Expires: fsm.Never,
		Permissions: []fsm.PermissionRef{{Slug: "gone", ID: "perm_1"}}, Roles: []string{"gone"},
	})))
	endLinks(t, s, root)
	require.Zero(t, code(apply(t, s, &fsm.DeleteKey{KeyID: "key_1"})))
	apply(t, s, &fsm.RaiseLedgerVersion{Version: fsmtest.FifthRules, Build: "v1.5.0"})
	tick(t, s)
	used := usedBy(t, s)
	require.Zero(t, used[fsm.KeysQuota])
	require.Zero(t, used[fsm.PermissionsQuota])
	require.Zero(t, used[fsm.RolesQuota])
}
