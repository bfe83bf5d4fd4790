package fsm

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/creditd/creditd/fsm/fields"
	"github.com/stretchr/testify/require"
)

// oneOfEach has a record of each kind, in the order of the kinds.
func oneOfEach() []Record {
	return []Record{
		&MetaRecord{ClusterID: "cl_1", Clock: 5, Totals: Totals{Granted: 9, Withdrawn: 1, Debited: 2}, Sessions: 3, LedgerVersion: 2, RaisedBy: "v1"},
		&WorkspaceRecord{ID: "ws_1", Name: "n", CreatedAt: 1, Enabled: true},
		&RootKeyRecord{
			ID: "key_r", Hash: Hash{1}, Name: "n", WorkspaceID: "ws_1", Permissions: []string{"a", "bc"}, CreatedAt: 1,
			Expires: 2, Enabled: true,
		},
		&APIRecord{ID: "api_1", KeyspaceID: "ks_1", Name: "n", WorkspaceID: "ws_1", CreatedAt: 1},
		&MigrationRecord{ID: "mig_1", WorkspaceID: "ws_1", Algorithm: PrefixedAPIKey, CreatedAt: 1},
		&PermissionRecord{ID: "a", WorkspaceID: "ws_1", Name: "n", Slug: "s", Description: "d", CreatedAt: 1},
		&PermissionRecord{ID: "bc", WorkspaceID: "ws_1", Name: "n", Slug: "t", Description: "d", CreatedAt: 1},
		&RoleRecord{ID: "a", WorkspaceID: "ws_1", Name: "n", Description: "d", Permissions: []string{"a", "bc"}, CreatedAt: 1},
		&RoleRecord{ID: "bc", WorkspaceID: "ws_1", Name: "m", Description: "d", Permissions: []string{"a", "bc"}, CreatedAt: 1},
		&IdentityRecord{ID: "id_1", ExternalID: "e", WorkspaceID: "ws_1", Meta: "{}", Policy: KeyPays, CreatedAt: 1, Ratelimits: twoRatelimits()},
		&KeyRecord{
			ID: "key_1", Hash: Hash{2}, Start: "s", APIID: "api_1", IdentityID: "id_1", Name: "n", Meta: "{}", CreatedAt: 1,
			UpdatedAt: 2, LastUsedAt: 3, Expires: 4, Enabled: true, Permissions: []string{"a", "bc"}, Roles: []string{"a", "bc"},
			Ratelimits: twoRatelimits(),
		},
		&CreditRecord{
			Owner: "id_1", Identity: true, Remaining: 2, Refill: Refill{Monthly, 7, 5}, RefilledAt: 1, Considered: 2,
		},
		&CreditRecord{Owner: "key_1", Remaining: 4, Refill: Refill{Interval: Daily, Amount: 7}, RefilledAt: 1, Considered: 2},
		&NamespaceRecord{ID: "rlns_1", Name: "n", WorkspaceID: "ws_1", CreatedAt: 1},
		&OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_1", Identifier: "a*", Limit: 1, Duration: 1000, CreatedAt: 1},
		&WindowRecord{Scope: 2, Owner: "id_1", Name: "n", Duration: 1000, Current: 3, Previous: 4},
		&AuditRecord{WorkspaceID: "ws_1", Number: 1, Entry: AuditEntry{
			Index: 3, Time: 4, Event: KeyDeleted, ActorID: "key_r", ActorName: "n", Origin: &Origin{RequestID: "q", RemoteAddr: "a", UserAgent: "u"},
			Resources: []AuditResource{{IdentityResource, "id_1"}, {KeyResource, "key_1"}}, Omitted: 1,
			Balances: []AuditBalance{
				{AuditResource{IdentityResource, "id_1"}, Balance{true, 5}, Balance{true, 6}},
				{AuditResource{KeyResource, "key_1"}, Balance{true, 7}, Balance{}},
			},
		}},
	}
}

func twoRatelimits() []Ratelimit {
	return []Ratelimit{{ID: "rl_1", Name: "a", Limit: 1, Duration: 1000, AutoApply: true}, {ID: "rl_2", Name: "bc", Limit: 2, Duration: 2000}}
}

func TestDigest_KnowsEveryKind(t *testing.T) {
	var kinds []Kind
	for _, r := range oneOfEach() {
		kinds = append(kinds, r.Key().Kind)
	}
	require.Equal(t, []Kind{
		MetaKind, WorkspaceKind, RootKeyKind, APIKind, MigrationKind, PermissionKind, RoleKind, IdentityKind, KeyKind, IdentityCreditKind, KeyCreditKind,
		NamespaceKind, OverrideKind, WindowKind, AuditKind,
	}, slices.Compact(kinds))
}

// A field that the digest forgot could differ between two nodes without anybody noticing. Fields are found by reflection, so a
// new one cannot be left out.
func TestDigest_ChangesWithEveryField(t *testing.T) {
	migration := &MigrationRecord{ID: "m", WorkspaceID: "ws_1", Algorithm: SHA256, CreatedAt: 1}
	sweep := &SweepRecord{WorkspaceID: "ws_1", Since: 1, APIID: "a", Next: "b"}
	for _, r := range append(oneOfEach(), migration, sweep) {
		seen := map[Digest]string{digestOf(r): "as it is"}
		eachChange(reflect.ValueOf(r).Elem(), reflect.TypeOf(r).Elem().Name(), func(change string) {
			d := digestOf(r)
			if change == "MetaRecord.Clock a bit" {
				require.Equal(t, digestOf(oneOfEach()[0]), d, "log time is not part of the digest")
				return
			}
			require.NotContains(t, seen, d, change)
			seen[d] = change
		})
	}
}

// eachChange makes several changes to each field of v, one at a time, and calls f after each.
func eachChange(v reflect.Value, path string, f func(change string)) {
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			eachChange(v.Field(i), path+"."+v.Type().Field(i).Name, f)
		}
		return
	}
	kept := reflect.New(v.Type()).Elem()
	kept.Set(v)
	try := func(name string, change func()) {
		change()
		f(path + " " + name)
		v.Set(kept)
	}
	switch v.Kind() {
	case reflect.Pointer:
		try("none", v.SetZero)
		eachChange(v.Elem(), path, f)
	case reflect.Array:
		for i := range v.Len() {
			eachChange(v.Index(i), path, f)
		}
	case reflect.Slice:
		list, plain := v.Interface().([]string)
		if !plain {
			try("empty", func() { v.SetLen(0) })
			try("one less", func() { v.SetLen(1) })
			for i := range v.Len() {
				eachChange(v.Index(i), fmt.Sprint(path, i), f)
			}
			return
		}
		for name, other := range map[string][]string{
			"empty": nil, "one less": list[:1], "one more": append(slices.Clone(list), ""), "moved": {"ab", "c"},
			"swapped": {"bc", "a"},
		} {
			try(name, func() { v.Set(reflect.ValueOf(other)) })
		}
	case reflect.String:
		for _, s := range []string{"", "\x00", "\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x00\x00\x00\x00\x00", v.String() + "\x00"} {
			if s != kept.String() {
				try("a string", func() { v.SetString(s) })
			}
		}
	case reflect.Bool:
		try("flipped", func() { v.SetBool(!v.Bool()) })
	case reflect.Int64:
		for bit := range 64 {
			try("a bit", func() { v.SetInt(v.Int() ^ 1<<bit) })
		}
	case reflect.Uint64:
		for bit := range 64 {
			try("a bit", func() { v.SetUint(v.Uint() ^ 1<<bit) })
		}
	case reflect.Uint8:
		for bit := range 8 {
			try("a bit", func() { v.SetUint(v.Uint() ^ 1<<bit) })
		}
	default:
		panic("digest_internal_test: cannot change a " + v.Kind().String())
	}
}

// Two neighbouring strings do not run into one another.
func TestDigest_SeesWhereAStringEnds(t *testing.T) {
	require.NotEqual(t,
		digestOf(&WorkspaceRecord{ID: "ab", Name: "c"}), digestOf(&WorkspaceRecord{ID: "a", Name: "bc"}))
	require.NotEqual(t,
		digestOf(&WorkspaceRecord{ID: "12345678", Name: ""}), digestOf(&WorkspaceRecord{ID: "", Name: "12345678"}))
}

// The same content means another thing in a record of another kind.
func TestDigest_DependsOnTheKind(t *testing.T) {
	require.NotEqual(t, digestOf(&CreditRecord{Owner: "x", Identity: true}), digestOf(&CreditRecord{Owner: "x"}))
	require.NotEqual(t, empty(KeyKind), empty(APIKind))
}

func empty(k Kind) Digest {
	return digestFrom(fields.NewHasher(uint8(k)).Sum())
}

// The digest stands for the set of records: two balances that changed places are another set, and every way to reach a set has
// the same digest.
func TestDigest_IsThatOfASet(t *testing.T) {
	a, b := &CreditRecord{Owner: "a", Remaining: 5}, &CreditRecord{Owner: "b", Remaining: 3}
	sum := digestOf(a).Plus(digestOf(b))
	require.Equal(t, sum, digestOf(b).Plus(digestOf(a)))
	require.Equal(t, Digest{}, sum.minus(digestOf(b)).minus(digestOf(a)))
	swapped := digestOf(&CreditRecord{Owner: "a", Remaining: 3}).Plus(digestOf(&CreditRecord{Owner: "b", Remaining: 5}))
	require.NotEqual(t, sum, swapped)
}

// The ledger's own record is part of its digest, except for log time: reads move it, and must not make nodes look different.
func TestDigest_CoversTheTotalsButNotTheClock(t *testing.T) {
	s := New()
	before := s.Digest()
	s.clock = 7
	require.Equal(t, before, s.Digest())
	for _, change := range []func(){
		func() { s.clusterID = "x" },
		func() { s.totals.Granted++ },
		func() { s.totals.Withdrawn++ },
		func() { s.totals.Debited++ },
	} {
		before := s.Digest()
		change()
		require.NotEqual(t, before, s.Digest())
	}
}

// What the ledger keeps up to date as it goes is the digest that a full count gives.
func TestDigest_IsTheSumOverAllRecords(t *testing.T) {
	l := NewLoader()
	require.NoError(t, add(l, oneOfEach()[:11]))
	added := l.loaded.added
	s := l.settled()
	var sum Digest
	for _, n := range added {
		sum = sum.Plus(digestOf(n.record()))
	}
	require.Len(t, added, 10)
	require.Empty(t, s.dirty)
	require.Equal(t, sum, s.sum)
}

// The order in which records were loaded does not show.
func TestDigest_IsIndependentOfOrder(t *testing.T) {
	var keys []Record
	for i := range byte(20) {
		keys = append(keys, &KeyRecord{ID: "key_" + string('a'+rune(i)), Hash: Hash{9, i}, APIID: "api_1"})
	}
	forward := loaded(t, append(oneOfEach()[:10], keys...)...)
	slices.Reverse(keys)
	backward := loaded(t, append(oneOfEach()[:10], keys...)...)
	require.Equal(t, forward.Digest(), backward.Digest())
}
