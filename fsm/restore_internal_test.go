package fsm

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// loaded feeds records to a loader without finishing it: everything is still dirty.
func loaded(t *testing.T, records ...Record) *State {
	t.Helper()
	l := NewLoader()
	for _, r := range records {
		require.NoError(t, l.Add(r))
	}
	return l.state
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
		change(list[7].(*CreditRecord))
		return list
	}
	for name, list := range map[string][]Record{
		"out of order":               {oneOfEach()[2], oneOfEach()[1]},
		"meta twice":                 {oneOfEach()[0], oneOfEach()[0]},
		"meta before 1970":           {&MetaRecord{Clock: -1}},
		"workspace twice":            slices.Insert(oneOfEach(), 1, oneOfEach()[1]),
		"root key twice":             slices.Insert(oneOfEach(), 2, oneOfEach()[2]),
		"root key of no workspace":   slices.Delete(oneOfEach(), 1, 2),
		"root key with a hash again": slices.Insert(oneOfEach(), 3, Record(&RootKeyRecord{ID: "key_q", Hash: Hash{1}, WorkspaceID: "ws_1"})),
		"api twice":                  slices.Insert(oneOfEach(), 3, oneOfEach()[3]),
		"api of no workspace":        replaced(3, &APIRecord{ID: "api_1", WorkspaceID: "ws_2"}),
		"identity twice":             slices.Insert(oneOfEach(), 4, oneOfEach()[4]),
		"identity of no workspace":   replaced(4, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_2"}),
		"identity with a policy 3":   replaced(4, &IdentityRecord{ID: "id_1", WorkspaceID: "ws_1", Policy: 3}),
		"externalId twice":           slices.Insert(oneOfEach(), 5, Record(&IdentityRecord{ID: "id_2", ExternalID: "e", WorkspaceID: "ws_1"})),
		"key twice":                  slices.Insert(oneOfEach(), 6, oneOfEach()[5]),
		"key with a hash again":      slices.Insert(oneOfEach(), 6, Record(&KeyRecord{ID: "key_2", Hash: Hash{2}, APIID: "api_1"})),
		"key of no api":              replaced(5, &KeyRecord{ID: "key_1", APIID: "api_2"}),
		"key of no identity":         replaced(5, &KeyRecord{ID: "key_1", APIID: "api_1", IdentityID: "id_2"}),
		"credits of no identity":     replaced(6, &CreditRecord{Owner: "id_2", Identity: true}),
		"credits of no key":          replaced(7, &CreditRecord{Owner: "key_2"}),
		"credits twice":              append(oneOfEach(), oneOfEach()[7]),
		"negative balance":           credit(func(c *CreditRecord) { c.Remaining = -1 }),
		"refill of nothing":          credit(func(c *CreditRecord) { c.Refill.Amount = 0 }),
		"daily on a day":             credit(func(c *CreditRecord) { c.Refill.Day = 1 }),
		"monthly on no day":          credit(func(c *CreditRecord) { c.Refill = Refill{Monthly, 1, 0} }),
		"monthly on day 32":          credit(func(c *CreditRecord) { c.Refill = Refill{Monthly, 1, 32} }),
		"no refill with an amount":   credit(func(c *CreditRecord) { c.Refill = Refill{NoRefill, 1, 0} }),
		"migration twice": append(oneOfEach(), &MigrationRecord{ID: "m", WorkspaceID: "ws_1", Algorithm: 1},
			&MigrationRecord{ID: "m", WorkspaceID: "ws_1", Algorithm: 1}),
		"migration of no workspace": append(oneOfEach(), &MigrationRecord{ID: "m", WorkspaceID: "ws_2", Algorithm: 1}),
		"migration of no algorithm": append(oneOfEach(), &MigrationRecord{ID: "m", WorkspaceID: "ws_1"}),
		"interval 3":                credit(func(c *CreditRecord) { c.Refill = Refill{3, 1, 1} }),
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

// Records that are fine one by one are refused when the digest or the books contradict them.
func TestLoader_ChecksTheWhole(t *testing.T) {
	l := NewLoader()
	require.NoError(t, add(l, oneOfEach()))
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
	require.NoError(t, add(l, oneOfEach()[1:]))
	_, err = l.Finish(l.state.Digest())
	require.ErrorContains(t, err, "own record")

	richer := oneOfEach()
	richer[7].(*CreditRecord).Remaining++
	l = NewLoader()
	require.NoError(t, add(l, richer))
	_, err = l.Finish(l.state.Digest())
	require.ErrorContains(t, err, "books")
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
