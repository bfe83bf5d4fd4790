package shadow

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func limited(kind, id string, remaining int64) Payer {
	p := Payer{Type: kind, ID: id}
	p.Credits.Remaining = remaining
	return p
}

func admitted(code string, payers ...Payer) *Verdict {
	return &Verdict{Valid: code == valid, Code: code, KeyID: "key_1", Payers: payers}
}

// parse reads a record that is in order.
func parse(t testing.TB, text string) *Record {
	t.Helper()
	var r Record
	require.NoError(t, json.Unmarshal([]byte(text), &r))
	require.NoError(t, r.check())
	return &r
}

func old(t testing.TB, answer string) *Record { return parse(t, `{"key":"k",`+answer+`}`) }

func TestJudge_Kinds(t *testing.T) {
	five := limited("key", "key_1", 5)
	for _, test := range []struct {
		old  string
		ours *Verdict
		want Kind
	}{
		{`"valid":true`, admitted(valid, five), ""},
		{`"valid":true,"remaining":4`, admitted(valid, five), ""},
		{`"valid":true,"remaining":3`, admitted(valid, five), OtherBalance},
		{`"valid":true,"remaining":4`, admitted(valid), OtherBalance}, // unlimited here
		{`"valid":true`, admitted("NOT_FOUND"), DeniedWrongly},
		{`"valid":true`, admitted("412 precondition_failed"), DeniedWrongly},
		{`"valid":true,"cost":6`, admitted(usageExceeded, five), DeniedWrongly},
		{`"valid":false,"code":"DISABLED"`, admitted(valid, five), AdmittedWrongly},
		{`"valid":false`, admitted("NOT_FOUND"), ""},
		{`"valid":false,"code":"DISABLED"`, admitted("EXPIRED", five), OtherCode},
		{`"valid":false,"code":"USAGE_EXCEEDED","cost":6,"remaining":5`, admitted(usageExceeded, five), ""},
		{`"valid":false,"code":"USAGE_EXCEEDED","cost":6,"remaining":4`, admitted(usageExceeded, five), OtherBalance},
		{`"valid":false,"code":"RATE_LIMITED"`, admitted(valid, five), NotReplayed},
		{`"valid":false,"code":"RATE_LIMITED"`, admitted("NOT_FOUND"), OtherCode},
		{`"valid":true`, admitted(rateLimited, five), DeniedWrongly}, // by a limit that a single request exceeds
	} {
		d := newJudge(10).judge(1, old(t, test.old), test.ours)
		if test.want == "" {
			require.Nil(t, d, test.old)
			continue
		}
		require.NotNil(t, d, test.old)
		require.Equal(t, test.want, d.Kind, test.old)
		require.Equal(t, HashOf("k"), d.KeyHash)
	}
}

// A sequence is judged as a sequence: what was admitted before is debited, from all payers, and nothing else is.
func TestJudge_CountsWhatItAdmitted(t *testing.T) {
	j := newJudge(10)
	both := admitted(valid, limited("identity", "id_1", 5), limited("key", "key_1", 4))
	for left := int64(3); left >= 0; left-- {
		require.Nil(t, j.judge(1, old(t, fmt.Sprintf(`"valid":true,"remaining":%d`, left)), both))
	}
	require.Nil(t, j.judge(1, old(t, `"valid":false,"code":"RATE_LIMITED","cost":0`), admitted("DISABLED")).zero())
	require.Nil(t, j.judge(1, old(t, `"valid":false,"code":"USAGE_EXCEEDED","remaining":0`), both))
	require.Nil(t, j.judge(1, old(t, `"valid":true,"cost":0,"remaining":0`), both))
	alone := admitted(valid, limited("identity", "id_1", 5)) // another key of the identity
	require.Nil(t, j.judge(1, old(t, `"valid":true,"remaining":0`), alone))
	require.Equal(t, DeniedWrongly, j.judge(1, old(t, `"valid":true`), alone).Kind)
	require.Zero(t, j.untracked)

	limitedOnly := admitted(valid, limited("key", "key_9", 1))
	require.Equal(t, NotReplayed, j.judge(1, old(t, `"valid":false,"code":"RATE_LIMITED"`), limitedOnly).Kind)
	require.Nil(t, j.judge(1, old(t, `"valid":true,"remaining":0`), limitedOnly), "what a rate limit denied is not debited")
}

func (d *Difference) zero() any {
	if d != nil && d.Kind == OtherCode {
		return nil
	}
	return d
}

func TestJudge_ForgetsBeyondItsBound(t *testing.T) {
	j := newJudge(1)
	first, second := admitted(valid, limited("key", "key_1", 1)), admitted(valid, limited("key", "key_2", 1))
	require.Nil(t, j.judge(1, old(t, `"valid":true`), first))
	for range 2 {
		require.Nil(t, j.judge(1, old(t, `"valid":true`), second), "without history the present balance counts")
	}
	require.EqualValues(t, 2, j.untracked)
	require.Equal(t, DeniedWrongly, j.judge(1, old(t, `"valid":true`), first).Kind)
}

// Refills that were due between two records happen: contract 4.3.
func TestJudge_Refills(t *testing.T) {
	j := newJudge(10)
	daily := limited("key", "key_1", 10)
	require.NoError(t, json.Unmarshal([]byte(`{"remaining":10,"refill":{"interval":"daily","amount":8}}`), &daily.Credits))
	at := func(day string, cost, left int) *Record {
		moment, err := time.Parse(time.RFC3339, day)
		require.NoError(t, err)
		return old(t, fmt.Sprintf(`"valid":true,"time":%d,"cost":%d,"remaining":%d`, moment.UnixMilli(), cost, left))
	}
	for _, r := range []*Record{
		at("2026-01-01T10:00:00Z", 1, 9), at("2026-01-02T00:00:00Z", 0, 9), // above the amount already
		at("2026-01-02T23:59:59Z", 9, 0), at("2026-01-04T01:00:00Z", 3, 5), at("2026-01-04T02:00:00Z", 5, 0),
	} {
		require.Nil(t, j.judge(1, r, admitted(valid, daily)))
	}
	require.Equal(t, DeniedWrongly, j.judge(1, at("2026-01-04T03:00:00Z", 1, 0), admitted(valid, daily)).Kind)
}

func TestLastDue(t *testing.T) {
	day := func(text string) int64 {
		at, err := time.Parse(time.DateOnly, text)
		require.NoError(t, err)
		return at.UnixMilli() / dayMillis
	}
	for _, test := range [][3]string{
		{"31", "2026-02-28", "2026-02-28"}, {"31", "2026-02-27", "2026-01-31"}, {"29", "2024-02-29", "2024-02-29"}, {"30", "2026-03-29", "2026-02-28"},
		{"1", "2026-01-01", "2026-01-01"}, {"15", "2026-01-14", "2025-12-15"}, {"31", "2026-05-01", "2026-04-30"},
	} {
		var refillDay int
		_, err := fmt.Sscan(test[0], &refillDay)
		require.NoError(t, err)
		require.Equal(t, day(test[2]), lastDue("monthly", refillDay, day(test[1])), test)
	}
	require.Equal(t, day("2026-01-14"), lastDue("daily", 0, day("2026-01-14")))
}
