//go:build nextversion

package fsm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func init() {
	buildTags = []string{"nextversion"}
	nextSamples = []Record{&NoteRecord{WorkspaceID: "ws_1", KeyID: "key_1", Text: "t", At: 3}}
}

// A field of a younger version adds nothing to the digest while it has its default, and changes it as soon as it has not.
func TestDigest_HasNewFieldsOnlyWhereTheyAreSet(t *testing.T) {
	for _, r := range oneOfEach() {
		before := digestOf(r)
		var set, unset func()
		switch r := r.(type) {
		case *CreditRecord:
			set, unset = func() { r.Debits = 1 }, func() { r.Debits = 0 }
		case *WorkspaceRecord:
			set, unset = func() { r.Notes = 1 }, func() { r.Notes = 0 }
		default:
			continue
		}
		set()
		require.NotEqual(t, before, digestOf(r))
		unset()
		require.Equal(t, before, digestOf(r))
	}
}

// The rules write what came with a version only once the ledger has it: until then, nodes of both builds have the same ledger.
func TestApply_WritesNewFieldsOnlyWithTheirVersion(t *testing.T) {
	s := foundedLedger(t)
	debit := func() *Verdict {
		t.Helper()
		v, ok := s.Apply(Batch{Stamp: 5, Calls: []Call{{Actor: Hash{1}, Command: &VerifyKey{Hash: Hash{2}, Cost: 1}}}})[0].(*Verdict)
		require.True(t, ok)
		require.Equal(t, Valid, v.Code)
		return v
	}
	annotate := func(text string) Result {
		return s.Apply(Batch{Calls: []Call{{Actor: Hash{1}, Command: &AnnotateKey{KeyID: "key_1", Text: text}}}})[0]
	}
	s.Apply(Batch{Calls: []Call{
		{Actor: Hash{1}, Command: &CreateAPI{ID: "api_1", KeyspaceID: "ks_1"}},
		{Actor: Hash{1}, Command: &CreateKey{
			ID: "key_1", Hash: Hash{2}, APIID: "api_1", Enabled: true, Expires: Never, Credits: NewCredits{Limited: true, Remaining: 9},
		}},
	}})
	credit, w := s.keys.find("key_1").credit, s.workspaces["ws_1"]
	for version := range newestRelease {
		s.Apply(Batch{Calls: []Call{{Command: &RaiseLedgerVersion{Version: version + 1}}}})
		require.Zero(t, debit().Debits)
		require.Zero(t, credit.Debits)
		require.Equal(t, LedgerVersionTooLow, annotate("x").(*Refusal).Code)
		require.Zero(t, w.Notes)
	}
	s.Apply(Batch{Calls: []Call{{Command: &RaiseLedgerVersion{Version: nextVersion}}}})
	require.EqualValues(t, 1, debit().Debits)
	require.EqualValues(t, 2, debit().Debits)
	require.EqualValues(t, 2, credit.Debits)
	require.Equal(t, &Annotated{Notes: 1}, annotate("x"))
	require.Equal(t, "x", s.noteOf("ws_1/key_1").text)
	require.Equal(t, &Annotated{Notes: 2}, annotate(""))
	require.Nil(t, s.noteOf("ws_1/key_1"))

	// A balance that is unlimited in between has no record, so that nothing of it is left.
	s.Apply(Batch{Calls: []Call{
		{Actor: Hash{1}, Command: &UpdateKeyCredits{KeyID: "key_1", Change: BalanceChange{Op: SetBalance}}},
		{Actor: Hash{1}, Command: &UpdateKeyCredits{KeyID: "key_1", Change: BalanceChange{Op: SetBalance, Limited: true, Value: 5}}},
	}})
	require.EqualValues(t, 1, debit().Debits)
}
