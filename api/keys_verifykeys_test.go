package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

// verifyAll asks about several keys at once; each item is the fields of one.
func (s *server) verifyAll(atomic bool, items ...string) (results []string, passed any) {
	s.t.Helper()
	data := s.must("keys.verifyKeys", fmt.Sprintf(`{"verifications":[%s],"atomic":%t}`, strings.Join(items, ","), atomic))
	var answer struct {
		Results []json.RawMessage
		Passed  any
	}
	require.NoError(s.t, json.Unmarshal([]byte(data), &answer))
	require.Len(s.t, answer.Results, len(items))
	for _, r := range answer.Results {
		results = append(results, string(r))
	}
	return results, answer.Passed
}

// codes are the codes of items and what is left, or the status and type of an error.
func codes(t testing.TB, results []string) (list []string) {
	t.Helper()
	for _, text := range results {
		var r struct {
			Code    string
			Credits *int64
			Error   *struct {
				Status int
				Type   string
			}
		}
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		switch {
		case r.Error != nil:
			list = append(list, fmt.Sprint(r.Error.Status, " ", strings.TrimPrefix(r.Error.Type, errorBase)))
		case r.Credits != nil:
			list = append(list, fmt.Sprint(r.Code, " ", *r.Credits))
		default:
			list = append(list, r.Code)
		}
	}
	return list
}

// Each item sees what the items before it did, and all of them are one entry: docs/contract.md 7.2.
func TestVerifyKeys_OneAfterTheOther(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"credits":{"remaining":5}`)
	item := func(fields string) string { return f.in(`{"key":"SECRET"` + fields + `}`) }
	before := s.index
	results, passed := s.verifyAll(false,
		item(``), item(`,"credits":{"cost":3}`), item(`,"credits":{"cost":2}`), `{"key":"nobody"}`, item(`,"permissions":"a b"`),
		item(`,"ratelimits":[{"name":"none"}]`), item(`,"ratelimits":[{"name":"adhoc","limit":5,"duration":10}]`), item(``), item(``))
	require.Equal(t, []string{
		"VALID 4", "VALID 1", "USAGE_EXCEEDED 1", "NOT_FOUND", "400 " + querySyntax,
		"412 unkey/application/precondition_failed", "400 " + invalidInput, "VALID 0", "USAGE_EXCEEDED 0",
	}, codes(t, results))
	require.Nil(t, passed)
	require.Equal(t, before+1, s.index)
	require.Contains(t, results[4], `"errors":[]`)
	require.NotContains(t, results[5], `"errors"`)
	require.Equal(t, `{"valid":false,"code":"NOT_FOUND"}`, results[3])

	// An item is what keys.verifyKey answers, and an error what it would be refused with.
	alone := s.post("keys.verifyKey", item(`,"permissions":"a b"`))
	var envelope struct{ Error json.RawMessage }
	require.NoError(t, json.Unmarshal([]byte(alone.text), &envelope))
	require.Equal(t, `{"error":`+string(envelope.Error)+`}`, results[4])
	require.Equal(t, s.must("keys.verifyKey", item(``)), results[8])
}

// An atomic batch charges for all of its items or for none, and then shows what is there: docs/contract.md 7.2.
func TestVerifyKeys_Atomic(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	key := s.newKey(f, `,"credits":{"remaining":5},"ratelimits":[{"name":"calls","limit":3,"duration":60000,"autoApply":true}]`)
	other := s.newKey(f, `,"credits":{"remaining":2}`)
	item := func(f fixture, fields string) string { return f.in(`{"key":"SECRET"` + fields + `}`) }
	before := s.digest()
	results, passed := s.verifyAll(true, item(key, `,"credits":{"cost":4}`), item(other, ``), item(key, `,"credits":{"cost":2}`), item(key, ``), item(key, ``))
	require.Equal(t, false, passed)
	require.Equal(t, []string{"VALID 5", "VALID 2", "USAGE_EXCEEDED 5", "VALID 5", "RATE_LIMITED 5"}, codes(t, results),
		"the codes are those of a batch that is not atomic")
	require.Contains(t, results[0], `"remaining":3,"exceeded":false`)
	require.Contains(t, results[4], `"remaining":0,"exceeded":true`)
	require.Equal(t, before, s.digest())

	for _, spoiler := range []string{`{"key":"nobody"}`, item(key, `,"permissions":"a b"`), item(key, `,"ratelimits":[{"name":"none"}]`)} {
		results, passed = s.verifyAll(true, item(key, ``), spoiler)
		require.Equal(t, false, passed)
		require.Equal(t, "VALID 5", codes(t, results)[0])
		require.Equal(t, before, s.digest())
	}

	entry := s.index
	results, passed = s.verifyAll(true, item(key, `,"credits":{"cost":4}`), item(other, ``), item(key, ``))
	require.Equal(t, true, passed)
	require.Equal(t, []string{"VALID 1", "VALID 1", "VALID 0"}, codes(t, results))
	require.Contains(t, results[0], `"remaining":2,"exceeded":false`)
	require.Contains(t, results[2], `"remaining":1,"exceeded":false`)
	if !replicated { // where other entries may lie between
		require.Equal(t, entry+1, s.index)
	}
	results, _ = s.verifyAll(false, item(key, ``), item(other, ``))
	require.Equal(t, []string{"USAGE_EXCEEDED 0", "VALID 0"}, codes(t, results))
}

// A migrated key is taken over within a batch, of an atomic one only when all pass: docs/contract.md 2.3 and 7.2.
func TestVerifyKeys_TakesMigratedKeysOver(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	const secret = "my_app_BRTRKFsL_51FwqftsmMDHHbJAMEXXHCgG"
	s.must("migrations.createMigration", `{"migrationId":"pre","algorithm":"`+prefixed+`"}`)
	s.must("keys.migrateKeys", f.in(`{"migrationId":"pre","apiId":"API","keys":[{"hash":"`+hexOf("51FwqftsmMDHHbJAMEXXHCgG")+`","credits":{"remaining":3}}]}`))
	named, plain := `{"key":"`+secret+`","migrationId":"pre"}`, `{"key":"`+secret+`"}`
	before := s.digest()
	results, _ := s.verifyAll(true, plain, named, plain)
	require.Equal(t, []string{"NOT_FOUND", "VALID 3", "VALID 3"}, codes(t, results))
	require.Equal(t, before, s.digest())
	results, passed := s.verifyAll(true, named, plain)
	require.Equal(t, true, passed)
	require.Equal(t, []string{"VALID 2", "VALID 1"}, codes(t, results))
	results, _ = s.verifyAll(false, plain)
	require.Equal(t, []string{"VALID 0"}, codes(t, results))
}

// A key of another workspace, one that the caller may not verify and one that is not there look the same: docs/contract.md 1.13.
func TestVerifyKeys_Masks(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	foreign := s.foreign()
	g := foreign.fixture()
	body := fmt.Sprintf(`{"verifications":[{"key":"nobody"},{"key":%q},{"key":%q,"permissions":"a b","ratelimits":[{"name":"none"}]}]}`, g.key, g.key)
	require.Equal(t, `{"results":[`+strings.Repeat(`{"valid":false,"code":"NOT_FOUND"},`, 2)+`{"valid":false,"code":"NOT_FOUND"}]}`, s.must("keys.verifyKeys", body))
	require.Equal(t, `{"results":[{"valid":false,"code":"NOT_FOUND"}]}`,
		s.grant("api.*.read_key").must("keys.verifyKeys", f.in(`{"verifications":[{"key":"SECRET"}]}`)))
}

// What is wrong with the form of a request refuses all of it: docs/contract.md 7.2.
func TestVerifyKeys_Form(t *testing.T) {
	s := newServer(t)
	item := `{"key":"abc"},`
	for _, body := range []string{
		`{}`, `{"verifications":[]}`, `{"verifications":[{}]}`, `{"verifications":[{"key":"a","apiId":"b"}]}`, `{"verifications":[{"key":"a"}],"atomic":1}`,
		`{"verifications":[` + strings.Repeat(item, 1000) + `{"key":"a"}]}`, `{"verifications":[{"key":"a"}],"more":1}`,
	} {
		s.post("keys.verifyKeys", body).fails(400, invalidInput)
	}
	require.Len(t, s.calls, 0)
	results, _ := s.verifyAll(false, slices.Repeat([]string{`{"key":"a"}`}, 1000)...)
	require.Equal(t, slices.Repeat([]string{"NOT_FOUND"}, 1000), codes(t, results))
	s.as("nobody").post("keys.verifyKeys", `{"verifications":[{"key":"a"}]}`).fails(401, "unkey/authentication/key_not_found")
}

// An item takes what keys.verifyKey takes.
func TestVerifyKeys_ItemsAreVerifications(t *testing.T) {
	fieldsOf := func(name string) map[string]any {
		return maps.Clone(publish().find("components", "schemas", name, "properties"))
	}
	item := fieldsOf("Verification")
	require.Contains(t, item, "key")
	delete(item, "idempotencyKey")
	require.Equal(t, fieldsOf("VerifyKeyRequest"), item)
}

// An item that would make the answer too large: docs/contract.md 7.2.
func TestVerifyKeys_WithoutRoom(t *testing.T) {
	s := newServer(t)
	s.result = &fsm.Verdicts{Results: []fsm.Result{&fsm.Refusal{Code: fsm.AnswerTooLarge}}}
	results, _ := s.verifyAll(false, `{"key":"a"}`)
	require.Equal(t, []string{"413 user/bad_request/request_body_too_large"}, codes(t, results))
}

// hexOf is how a system that keeps prefixed keys knows the last part of one.
func hexOf(part string) string {
	sum := sha256.Sum256([]byte(part))
	return hex.EncodeToString(sum[:])
}
