package records

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

var sampleHash = Hash(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))

// samples has every kind, and every field of it.
func samples() []*Record {
	n, at := int64(5), Time(1_700_000_000_001)
	credits := &Credits{
		Remaining: 9_223_372_036_854_775_807, Refill: &Refill{Interval: "monthly", Amount: 10, RefillDay: 31},
		RefilledAt: 1_700_000_000_000, ConsideredAt: 1_700_006_400_000,
	}
	limits := []Ratelimit{{ID: "rl_1", Name: "per <minute> & \u2028", Limit: 1, Duration: 1000, AutoApply: true}}
	return []*Record{
		{Workspace: &Workspace{ID: "ws_1", Name: "Acme", CreatedAt: at, Enabled: true, Limits: &Limits{&n, &n, &n, &n, &n, &n, &n, &n, &n, &n}}},
		{WorkspaceID: "ws_1", RootKey: &RootKey{ID: "key_0", Hash: sampleHash, Name: "ci", Permissions: []string{"api.*.read_api"}, CreatedAt: at, Expires: &at, Enabled: true}},
		{API: &API{ID: "api_1", Name: "payments", KeyspaceID: "ks_1", CreatedAt: at, Protected: true}},
		{Migration: &Migration{ID: "mig/1", Algorithm: "sha256", CreatedAt: at}},
		{Permission: &Permission{ID: "perm_1", Name: "read", Slug: "documents.*", Description: "d", CreatedAt: at}},
		{Role: &Role{ID: "role_1", Name: "reader", Description: "d", Permissions: []ID{"perm_1"}, CreatedAt: at}},
		{Identity: &Identity{ID: "id_1", ExternalID: "user@例え", Meta: `{"a":1.50}`, CreditPolicy: "both", Ratelimits: limits, CreatedAt: at, Credits: credits}},
		{Key: &Key{
			ID: "key_1", APIID: "api_1", Hash: sampleHash, FormerHash: sampleHash, Start: "sk_3", IdentityID: "id_1", Name: "production", Meta: `{"b":{}}`,
			Enabled: true, Expires: &at, Permissions: []ID{"perm_1"}, Roles: []ID{"role_1"}, Ratelimits: limits, CreatedAt: at, UpdatedAt: at,
			LastUsedAt: at, Credits: credits,
		}},
		{Namespace: &Namespace{ID: "rlns_1", Name: "email", CreatedAt: at}},
		{Override: &Override{ID: "rlor_1", NamespaceID: "rlns_1", Identifier: "*@acme.com", Limit: 1, Duration: 60_000, CreatedAt: at}},
		{Balance: &Balance{KeyID: "key_1", Credits: credits}},
		{Balance: &Balance{IdentityID: "id_1"}},
	}
}

func sampleFile(t *testing.T) []byte {
	var b bytes.Buffer
	w, err := NewWriter(&b, "ws_1")
	require.NoError(t, err)
	for _, r := range samples() {
		require.NoError(t, w.Write(r))
	}
	end, err := w.End()
	require.NoError(t, err)
	require.EqualValues(t, len(samples()), end.Records)
	return b.Bytes()
}

// What is written comes back, and is written again as the same bytes.
func TestFile_RoundTrip(t *testing.T) {
	text := sampleFile(t)
	r, err := NewReader(bytes.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, Header{Format, Version, "ws_1"}, r.Header)
	var again bytes.Buffer
	w, err := NewWriter(&again, r.Header.WorkspaceID)
	require.NoError(t, err)
	for i, want := range samples() {
		got, err := r.Next()
		require.NoError(t, err, "%d", i)
		require.Equal(t, want, got)
		require.EqualValues(t, i+2, r.Line())
		require.NoError(t, got.Validate())
		require.NoError(t, w.Write(got))
	}
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
	_, err = w.End()
	require.NoError(t, err)
	require.Equal(t, string(text), again.String())
}

// Each sample sets each field, so that the round trip misses none; and each kind of record has a sample and a name.
func TestSamples_SetEveryField(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range samples() {
		require.NotEmpty(t, r.Kind())
		require.NotEmpty(t, r.ID())
		of := reflect.ValueOf(*r).FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, r.Kind()) }).Elem()
		if seen[r.Kind()] { // a balance has either id
			continue
		}
		seen[r.Kind()] = true
		for i := range of.NumField() {
			if name := of.Type().Field(i).Name; name != "IdentityID" || r.Balance == nil {
				require.False(t, of.Field(i).IsZero(), "%s.%s", r.Kind(), name)
			}
		}
	}
	require.Len(t, seen, reflect.TypeFor[Record]().NumField()-1)
}

// A file that was cut short, changed or continued is refused, and the error names the line.
func TestReader_Damage(t *testing.T) {
	text := string(sampleFile(t))
	lines := strings.SplitAfter(text, "\n")
	lines = lines[:len(lines)-1]
	last := len(lines)
	for name, c := range map[string]struct {
		text string
		line int64
		says string
	}{
		"empty":         {"", 1, "incomplete"},
		"no header":     {strings.Join(lines[1:], ""), 1, "no header of format creditd-records"},
		"newer version": {strings.Replace(text, `"version":1`, `"version":2`, 1), 1, "version: maximum"},
		"no end":        {strings.Join(lines[:last-1], ""), int64(last), "incomplete"},
		"half an end":   {text[:len(text)-5], int64(last), "incomplete"},
		"a line less":   {strings.Join(append(append([]string{}, lines[:3]...), lines[4:]...), ""), int64(last - 1), "counts"},
		"other content": {strings.Replace(text, "Acme", "Acne", 1), int64(last), "hash"},
		"more":          {text + "\n", int64(last), "after the end"},
		"too long":      {lines[0] + strings.Repeat("x", maxLine+1) + "\n", 2, "longer"},
	} {
		r, err := NewReader(strings.NewReader(c.text))
		for err == nil {
			_, err = r.Next()
		}
		var at *LineError
		require.ErrorAs(t, err, &at, name)
		require.Equal(t, c.line, at.Line, name)
		require.ErrorContains(t, err, c.says, name)
	}
}

// A bad record is told with its line, and the reader goes on.
func TestReader_GoesOnAfterABadRecord(t *testing.T) {
	text := strings.Replace(string(sampleFile(t)), `{"api":{"id":"api_1"`, `{"api":{"id":"a/"`, 1)
	r, err := NewReader(strings.NewReader(text))
	require.NoError(t, err)
	good, bad := 0, 0
	for {
		_, err := r.Next()
		var at *LineError
		switch {
		case err == nil:
			good++
			continue
		case errors.As(err, &at) && at.Line == 4:
			bad++
			require.ErrorContains(t, err, "line 4: api.id: minLength")
			continue
		}
		require.ErrorContains(t, err, "hash")
		break
	}
	require.Equal(t, []int{len(samples()) - 1, 1}, []int{good, bad})
}

// Rules beyond the JSON Schema.
func TestRecord_Check(t *testing.T) {
	for says, line := range map[string]string{
		"exactly one kind":       `{}`,
		"either keyId":           `{"balance":{}}`,
		"either keyId or":        `{"balance":{"keyId":"key_1","identityId":"id_1"}}`,
		"refillDay is required":  `{"balance":{"keyId":"key_1","credits":{"remaining":1,"refill":{"interval":"monthly","amount":1}}}}`,
		"not allowed when it is": `{"balance":{"keyId":"key_1","credits":{"remaining":1,"refill":{"interval":"daily","amount":1,"refillDay":1}}}}`,
		"key.hash is neither":    `{"key":{"id":"key_1","apiId":"api_1","hash":"` + strings.Repeat("z", 64) + `","enabled":true,"createdAt":1}}`,
		"rootKey.hash":           `{"rootKey":{"id":"key_1","hash":"` + strings.Repeat("z", 64) + `","name":"x","enabled":true,"createdAt":1}}`,
		"key.meta is too large":  `{"key":{"id":"key_1","apiId":"api_1","hash":"` + string(sampleHash) + `","enabled":true,"createdAt":1,"meta":{"a":"` + strings.Repeat("x", maxKeyMeta) + `"}}}`,
		"workspaceId is not":     `{"workspaceId":"ws_2","workspace":{"id":"ws_1","name":"x","enabled":true,"createdAt":1}}`,
		"remaining: minimum":     `{"balance":{"keyId":"key_1","credits":{"remaining":-1}}}`,
		"does not fit":           `{"balance":{"keyId":"key_1","credits":{"remaining":9223372036854775808}}}`,
	} {
		_, err := decodeRecord([]byte(line))
		require.ErrorContains(t, err, says)
	}
	for _, h := range []Hash{sampleHash, Hash(strings.Repeat("0f", 32)), Hash(strings.Repeat("AB", 32))} {
		require.NoError(t, (&Record{Key: &Key{ID: "key_1", APIID: "api_1", Hash: h}}).Validate())
	}
	require.Error(t, (&Record{API: &API{ID: "no"}}).Validate())
	waiting := Record{Key: &Key{ID: "key_1", APIID: "api_1", Hash: Hash(strings.Repeat("0a", 32)), Enabled: true, CreatedAt: 1}}
	require.NoError(t, waiting.Validate(), "64 hexadecimal digits are base64, too")
	require.Empty(t, (&Record{API: &API{}, Key: &Key{}}).Kind())
}

const schemaFile = "../../docs/records.schema.json"

// The schema in the documentation is that of the types, and accepts the samples. UPDATE=1 writes it.
func TestJSONSchema_IsThatOfTheTypes(t *testing.T) {
	want, err := json.MarshalIndent(JSONSchema(), "", " ")
	require.NoError(t, err)
	want = append(want, '\n')
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.WriteFile(schemaFile, want, 0o644))
	}
	have, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(have), "UPDATE=1 go test ./api/records writes it")

	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(have))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("records.json", document))
	s := c.MustCompile("records.json")
	for line := range strings.Lines(string(sampleFile(t))) {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		require.NoError(t, err)
		require.NoError(t, s.Validate(value), line)
	}
	value, _ := jsonschema.UnmarshalJSON(strings.NewReader(`{"api":{"id":"api_1"}}`))
	require.Error(t, s.Validate(value))
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"header":{"format":"creditd-records","version":1}}` + "\n" + `{"api":{"id":"api_1","name":"x","createdAt":1}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewReader(bytes.NewReader(text))
		for err == nil {
			var record *Record
			if record, err = r.Next(); err == nil {
				line, bad := encode(record)
				require.NoError(t, bad)
				again, bad := decodeRecord(line)
				require.NoError(t, bad, "%s", line)
				require.Equal(t, record, again)
			}
		}
	})
}
