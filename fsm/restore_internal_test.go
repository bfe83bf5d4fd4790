package fsm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// loaded feeds records to a loader without checking the whole.
func loaded(t *testing.T, records ...Record) *State {
	t.Helper()
	l := NewLoader()
	for _, r := range records {
		require.NoError(t, l.Add(r))
	}
	return l.settled()
}

// Nothing is served from a snapshot that is incomplete, out of order, contradictory or altered.
func TestLoader_RefusesWhatCannotStand(t *testing.T) {
	replaced := func(at int, r Record) []Record {
		list := oneOfEach()
		list[at] = r
		return list
	}
	credit := func(change func(*CreditRecord)) []Record {
		list := oneOfEach()
		change(list[12].(*CreditRecord))
		return list
	}
	audit := func(change func(*AuditRecord)) []Record {
		list := oneOfEach()
		change(list[16].(*AuditRecord))
		return list
	}
	for name, list := range map[string][]Record{
		"audit entry twice":          append(oneOfEach(), oneOfEach()[16]),
		"audit entries out of order": append(audit(func(r *AuditRecord) { r.Number = 2 }), oneOfEach()[16]),
		"audit of no workspace":      audit(func(r *AuditRecord) { r.WorkspaceID = "ws_2" }),
		"audit of the future":        audit(func(r *AuditRecord) { r.Entry.Time = 6 }),
		"audit before 1970":          audit(func(r *AuditRecord) { r.Entry.Time = -1 }),
		"audit with a number below":  audit(func(r *AuditRecord) { r.Number = -1 }),
		"audit with a number above":  audit(func(r *AuditRecord) { r.Number = 1 << 32 }),
		"audit of no event":          audit(func(r *AuditRecord) { r.Entry.Event = Unaudited }),
		"audit of nothing":           audit(func(r *AuditRecord) { r.Entry.Resources = nil }),
		"audit of a thing twice":     audit(func(r *AuditRecord) { r.Entry.Resources[0] = r.Entry.Resources[1] }),
		"audit of too much":          audit(func(r *AuditRecord) { r.Entry.Resources = make([]AuditResource, 101) }),
		"audit that left out -1":     audit(func(r *AuditRecord) { r.Entry.Omitted = -1 }),
		"out of order":               {oneOfEach()[2], oneOfEach()[1]},
		"meta twice":                 {oneOfEach()[0], oneOfEach()[0]},
		"a session never opened":     slices.Insert(oneOfEach(), 14, Record(&SessionRecord{ID: 4, Base: 1})),
		"meta before 1970":           {&MetaRecord{Clock: -1, LedgerVersion: 1}},
		"workspace twice":            slices.Insert(oneOfEach(), 1, oneOfEach()[1]),
		"root key twice":             slices.Insert(oneOfEach(), 2, oneOfEach()[2]),
		"root key of no workspace":   slices.Delete(oneOfEach(), 1, 2),
		"root key with a hash again": slices.Insert(oneOfEach(), 3, Record(&RootKeyRecord{ID: "key_q", Hash: Hash{1}, WorkspaceID: "ws_1"})),
		"api twice":                  slices.Insert(oneOfEach(), 3, oneOfEach()[3]),
		"api of no workspace":        replaced(3, &APIRecord{ID: "api_1", WorkspaceID: "ws_2"}),
		"permission twice":           slices.Insert(oneOfEach(), 6, oneOfEach()[5]),
		"permission of no workspace": replaced(5, &PermissionRecord{ID: "a", Slug: "s", WorkspaceID: "ws_2"}),
		"slug twice":                 slices.Insert(oneOfEach(), 6, Record(&PermissionRecord{ID: "b", Slug: "S", WorkspaceID: "ws_1"})),
		"role twice":                 slices.Insert(oneOfEach(), 8, oneOfEach()[7]),
		"role of no workspace":       replaced(7, &RoleRecord{ID: "a", Name: "n", WorkspaceID: "ws_2"}),
		"role name twice":            slices.Insert(oneOfEach(), 8, Record(&RoleRecord{ID: "b", Name: "N", WorkspaceID: "ws_1"})),
		"role of no permission":      replaced(7, &RoleRecord{ID: "a", Name: "n", WorkspaceID: "ws_1", Permissions: []string{"b"}}),
		"role with a disorder":       replaced(7, &RoleRecord{ID: "a", Name: "n", WorkspaceID: "ws_1", Permissions: []string{"bc", "a"}}),
		"role with a repetition":     replaced(7, &RoleRecord{ID: "a", Name: "n", WorkspaceID: "ws_1", Permissions: []string{"a", "a"}}),
		"deleted role with a rest":   replaced(8, &RoleRecord{ID: "bc", WorkspaceID: "ws_1", Permissions: []string{"a"}, Deleted: true}),
		"key with no permission":     replaced(10, &KeyRecord{ID: "key_1", APIID: "api_1", Permissions: []string{"b"}}),
		"role of a foreign permission": slices.Concat(oneOfEach()[:2], []Record{&WorkspaceRecord{ID: "ws_2"}}, oneOfEach()[2:7],
			[]Record{&RoleRecord{ID: "a", Name: "n", WorkspaceID: "ws_2", Permissions: []string{"a"}}}),
		"key with no role":           replaced(10, &KeyRecord{ID: "key_1", APIID: "api_1", Roles: []string{"b"}}),
		"key with roles in disorder": replaced(10, &KeyRecord{ID: "key_1", APIID: "api_1", Roles: []string{"bc", "a"}}),
		"identity twice":             slices.Insert(oneOfEach(), 9, oneOfEach()[9]),
		"identity of no workspace":   replaced(9, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_2"}),
		"identity with a policy 3":   replaced(9, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_1", Policy: 3}),
		"identity lost its balance":  replaced(9, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_1", HadBalance: true}),
		"identity lost its keys":     replaced(9, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_1", KeysDeleted: true}),
		"externalId twice":           slices.Insert(oneOfEach(), 10, Record(&IdentityRecord{ID: "id_2", ExternalID: "e", WorkspaceID: "ws_1"})),
		"key twice":                  slices.Insert(oneOfEach(), 11, oneOfEach()[10]),
		"key with a hash again":      slices.Insert(oneOfEach(), 11, Record(&KeyRecord{ID: "key_2", Hash: Hash{2}, APIID: "api_1"})),
		"key of no api":              replaced(10, &KeyRecord{ID: "key_1", APIID: "api_2"}),
		"key of no identity":         replaced(10, &KeyRecord{ID: "key_1", APIID: "api_1", IdentityID: "id_2"}),
		"credits of no identity":     replaced(11, &CreditRecord{Owner: "id_2", Identity: true}),
		"credits of no key":          replaced(12, &CreditRecord{Owner: "key_2"}),
		"credits twice":              slices.Insert(oneOfEach(), 13, oneOfEach()[12]),
		"negative balance":           credit(func(c *CreditRecord) { c.Remaining = -1 }),
		"refill of nothing":          credit(func(c *CreditRecord) { c.Refill.Amount = 0 }),
		"daily on a day":             credit(func(c *CreditRecord) { c.Refill.Day = 1 }),
		"monthly on no day":          credit(func(c *CreditRecord) { c.Refill = Refill{Monthly, 1, 0} }),
		"monthly on day 32":          credit(func(c *CreditRecord) { c.Refill = Refill{Monthly, 1, 32} }),
		"no refill with an amount":   credit(func(c *CreditRecord) { c.Refill = Refill{NoRefill, 1, 0} }),
		"migration twice":            slices.Insert(oneOfEach(), 5, oneOfEach()[4]),
		"migration of no workspace":  replaced(4, &MigrationRecord{ID: "mig_1", WorkspaceID: "ws_2", Algorithm: SHA256}),
		"migration of no algorithm":  replaced(4, &MigrationRecord{ID: "mig_1", WorkspaceID: "ws_1"}),
		"migration of algorithm 3":   replaced(4, &MigrationRecord{ID: "mig_1", WorkspaceID: "ws_1", Algorithm: 3}),
		"rate limits not by name":    replaced(9, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_1", Ratelimits: []Ratelimit{twoRatelimits()[1], twoRatelimits()[0]}}),
		"rate limit of nothing":      replaced(10, &KeyRecord{ID: "key_1", APIID: "api_1", Ratelimits: []Ratelimit{{Name: "n", Duration: 1000}}}),
		"namespace twice":            slices.Insert(oneOfEach(), 13, oneOfEach()[13]),
		"namespace of no workspace":  replaced(13, &NamespaceRecord{ID: "rlns_1", WorkspaceID: "ws_2"}),
		"namespace name twice":       slices.Insert(oneOfEach(), 14, Record(&NamespaceRecord{ID: "rlns_2", Name: "n", WorkspaceID: "ws_1"})),
		"override twice":             slices.Insert(oneOfEach(), 14, oneOfEach()[14]),
		"override of no namespace":   replaced(14, &OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_2", Duration: 1000}),
		"override identifier twice":  slices.Insert(oneOfEach(), 15, Record(&OverrideRecord{ID: "rlor_2", NamespaceID: "rlns_1", Identifier: "a*", Duration: 1000})),
		"override below nothing":     replaced(14, &OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_1", Limit: -1, Duration: 1000}),
		"override without length":    replaced(14, &OverrideRecord{ID: "rlor_1", NamespaceID: "rlns_1"}),
		"window twice":               append(oneOfEach(), oneOfEach()[15]),
		"window of nobody":           replaced(15, &WindowRecord{Duration: 1000}),
		"window without length":      replaced(15, &WindowRecord{Scope: 1}),
		"window of the future":       replaced(15, &WindowRecord{Scope: 1, Duration: 1000, Sequence: 1}),
		"window counting backwards":  replaced(15, &WindowRecord{Scope: 1, Duration: 1000, Current: -1}),
		"window that counted so":     replaced(15, &WindowRecord{Scope: 1, Duration: 1000, Previous: -1}),
		"interval 3":                 credit(func(c *CreditRecord) { c.Refill = Refill{3, 1, 1} }),
	} {
		require.Error(t, add(NewLoader(), list), name)
	}
}

func add(l *Loader, list []Record) error {
	for _, r := range list {
		if err := l.Add(r); err != nil {
			return err
		}
	}
	return nil
}

// Records that are fine one by one are refused when the digest or the totals contradict them.
func TestLoader_ChecksTheWhole(t *testing.T) {
	l := NewLoader()
	require.NoError(t, add(l, oneOfEach()))
	l.Sum(l.Added(Added{}).Digest())
	digest := l.state.Digest()
	s, err := l.Finish(digest)
	require.NoError(t, err)
	require.Equal(t, digest, s.Digest())
	require.Zero(t, s.Stats().DirtyRecords)

	l = NewLoader()
	require.NoError(t, add(l, oneOfEach()))
	_, err = l.Finish(Digest{1, 2})
	require.ErrorContains(t, err, "digest")

	l = NewLoader()
	require.NoError(t, add(l, oneOfEach()[1:16])) // an audit entry needs log time
	_, err = l.Finish(l.settled().Digest())
	require.ErrorContains(t, err, "own record")

	richer := oneOfEach()
	richer[12].(*CreditRecord).Remaining++
	l = NewLoader()
	require.NoError(t, add(l, richer))
	_, err = l.Finish(l.settled().Digest())
	require.ErrorContains(t, err, "totals")
}

// What a loader is told to expect, and how its digest is taken, changes nothing. Nor does the order of credits.
func TestLoader_IsTheSameInParts(t *testing.T) {
	records := oneOfEach()
	more := []Record{
		&KeyRecord{ID: "key_2", Hash: Hash{8}, APIID: "api_1"}, &KeyRecord{ID: "key_3", Hash: Hash{9}, APIID: "api_1"},
		&CreditRecord{Owner: "key_3"}, &CreditRecord{Owner: "key_2"},
	}
	records = slices.Insert(records, 11, more[:2]...)
	records = slices.Insert(records, 15, more[2:]...)
	whole := loaded(t, records...)

	l, counts := NewLoader(), map[Kind]int{}
	for _, r := range records {
		counts[KindOf(r)]++
	}
	for kind, n := range counts {
		l.Expect(kind, n)
	}
	var part Added
	for _, r := range records {
		require.NoError(t, l.Add(r))
		part = l.Added(part)
		require.LessOrEqual(t, len(part.list), 1)
		l.Sum(part.Digest())
	}
	s, err := l.Finish(whole.Digest())
	require.NoError(t, err)
	require.Equal(t, whole.Stats(), s.Stats())
	require.NoError(t, s.CheckInvariants())
	for _, id := range []string{"key_1", "key_2", "key_3"} {
		require.Equal(t, id, s.keys.find(id).credit.owner)
	}
}

// The root key that presents itself may be disabled, or belong to a workspace that is: contract 1.3 and its order. No command
// disables anything yet, but a snapshot may hold it.
func TestAuthenticate_RefusesWhatIsDisabled(t *testing.T) {
	answer := func(change func(w *WorkspaceRecord, r *RootKeyRecord)) Result {
		list := oneOfEach()
		r := list[2].(*RootKeyRecord)
		r.Expires = Never
		change(list[1].(*WorkspaceRecord), r)
		return loaded(t, list...).Answer(r.Hash, &Authorize{Permission: "a"})
	}
	require.Equal(t, &Done{}, answer(func(*WorkspaceRecord, *RootKeyRecord) {}))
	require.Equal(t, refuse(RootKeyExpired), answer(func(_ *WorkspaceRecord, r *RootKeyRecord) { r.Expires = 4 }))
	require.Equal(t, &Done{}, answer(func(_ *WorkspaceRecord, r *RootKeyRecord) { r.Expires = 5 }))
	require.Equal(t, refuse(WorkspaceDisabled), answer(func(w *WorkspaceRecord, _ *RootKeyRecord) { w.Enabled = false }))
	require.Equal(t, refuse(RootKeyExpired), answer(func(w *WorkspaceRecord, r *RootKeyRecord) {
		w.Enabled, r.Expires = false, 4
	}))
	require.Equal(t, refuse(RootKeyDisabled), answer(func(w *WorkspaceRecord, r *RootKeyRecord) {
		w.Enabled, r.Expires, r.Enabled = false, 4, false
	}))
}

// No endpoint sets the protection of an API; a snapshot may hold it. Contract 2.2.
func TestDeleteAPI_RefusesAProtectedOne(t *testing.T) {
	list := oneOfEach()
	list[2].(*RootKeyRecord).Permissions = []string{"api.*.delete_api", "api.*.read_api"}
	list[2].(*RootKeyRecord).Expires = Never
	list[3].(*APIRecord).Protected = true
	s := loaded(t, list...)
	refused := s.Apply(Batch{Calls: []Call{{Actor: Hash{1}, Command: &DeleteAPI{APIID: "api_1"}}}})[0]
	require.Equal(t, refuse(APIProtected), refused)
	require.Equal(t, &API{ID: "api_1", Name: "n"}, s.Answer(Hash{1}, &GetAPI{APIID: "api_1"}))
}
