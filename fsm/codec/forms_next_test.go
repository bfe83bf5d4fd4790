//go:build nextversion

package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// next is the form of what came with the version of this build.
const next = byte(fsm.NewestLedgerVersion)

func TestForms_RecordsOfTheNextVersionGrow(t *testing.T) {
	grow(t, next, func(r *fsm.CreditRecord) { r.Debits = 300 }, func(r *fsm.CreditRecord) { r.Debits = 0 })
	grow(t, next, func(r *fsm.WorkspaceRecord) { r.Notes = 1 }, func(r *fsm.WorkspaceRecord) { r.Notes = 0 })
}

// A result keeps its first form until a new field is set, alone or in a list of results.
func TestForms_AResultGrowsOnlyWithANewField(t *testing.T) {
	grown := 0
	for i, e := range readGolden(t, "testdata/v1/results.txt") {
		r, err := codec.DecodeResult(e.value)
		require.NoError(t, err)
		v, ok := r.(*fsm.Verdict)
		if !ok {
			continue
		}
		grown++
		require.Zero(t, v.Debits)
		v.Debits = 5
		data := codec.AppendResult(nil, v)
		require.Equal(t, []byte{1, 255, next, 8}, data[:4])
		again, err := codec.DecodeResult(data)
		require.NoError(t, err)
		require.Equal(t, r, again)
		v.Debits = 0
		require.Equal(t, e.value, codec.AppendResult(nil, v), "line %d", i)
	}
	require.Greater(t, grown, 3)
}

// A result that a session or an idempotency record keeps has a form of its own: the record is in its first one, whatever it keeps.
func TestForms_KeptResultsHaveTheirOwn(t *testing.T) {
	verdict := &fsm.Verdict{Code: fsm.Valid}
	verdict.Debits = 1
	for _, r := range []fsm.Record{
		&fsm.SessionRecord{ID: 1, Base: 1, Results: []fsm.SessionResult{{Seq: 1, Result: verdict}, {Seq: 2, Result: &fsm.Annotated{}}, {Seq: 3, Result: &fsm.Done{}}}},
		&fsm.IdempotencyRecord{Result: verdict},
		&fsm.IdempotencyRecord{Result: &fsm.Annotated{Notes: 1}},
	} {
		value := codec.AppendRecord(nil, r)
		require.EqualValues(t, 1, value[0], "%T", r)
		require.Contains(t, string(value), string([]byte{255, next}))
		got, err := codec.DecodeRecord(codec.AppendRecordKey(nil, r.Key()), value)
		require.NoError(t, err)
		require.Equal(t, r, got)
	}
}

// What came with a version says so in its bytes, so that an older build knows which version it needs.
func TestForms_NewKindsNameTheirVersion(t *testing.T) {
	c := &fsm.AnnotateKey{KeyID: "a"}
	require.Equal(t, fsm.NewestLedgerVersion, fsm.Requires(c))
	require.Contains(t, string(codec.AppendBatch(nil, fsm.Batch{Calls: []fsm.Call{{Command: c}}})), string([]byte{255, next, 200, 1, 'a'}))
	require.Contains(t, string(codec.AppendResult(nil, &fsm.Annotated{Notes: 7})), string([]byte{255, next, 200, 7}))
	require.Equal(t, next, codec.AppendRecord(nil, &fsm.NoteRecord{})[0])
}
