package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
)

const (
	migrationNotFound = "unkey/data/migration_not_found"
	prefixed          = "github.com/seamapi/prefixed-api-key"
)

// keys.rerollKey: docs/contract.md 2.3, D-7 and D-8, and row 69 of section 5.
func TestRerollKey(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	old := s.newKey(f, `,"prefix":"my_app","name":"n","meta":{"a":1},"externalId":"user_1","enabled":true,"permissions":["docs.read"],"roles":["editor"],
		"credits":{"remaining":50,"refill":{"interval":"monthly","amount":9,"refillDay":31}}`+limits("calls 9/60000", "other 1/1000"))
	ownIDs := regexp.MustCompile(`"id":"rl_[a-zA-Z0-9]{16}",`)
	show := func(f fixture) string { return ownIDs.ReplaceAllString(s.showKey(f), "") }
	before := show(old)
	require.Len(t, ownIDs.FindAllString(s.showKey(old), -1), 2)
	re := s.post("keys.rerollKey", old.in(`{"keyId":"KEYID","expiration":90000,"ignored":1}`))
	fresh := f
	fresh.keyID, fresh.key = re.field("keyId"), re.field("key")
	require.NotEqual(t, old.keyID, fresh.keyID)
	require.Regexp(t, `^my_app_[1-9A-HJ-NP-Za-km-z]{20,24}$`, fresh.key)
	require.JSONEq(t, before, show(fresh))
	require.NotEqual(t, s.showKey(old), s.showKey(fresh), "rate limits have ids of their own")
	minute := int64(60_000)
	ends := (startTime + 90_000 + minute - 1) / minute * minute
	require.JSONEq(t, strings.Replace(before, "{", fmt.Sprintf(`{"expires":%d,`, ends), 1), show(old))

	s.must("keys.verifyKey", fresh.in(`{"key":"SECRET"}`))
	require.Contains(t, s.must("keys.verifyKey", old.in(`{"key":"SECRET"}`)), `"valid":true`)
	s.now = ends + 1
	require.Contains(t, s.must("keys.verifyKey", old.in(`{"key":"SECRET"}`)), `"code":"EXPIRED"`)
	require.Contains(t, s.must("keys.verifyKey", fresh.in(`{"key":"SECRET"}`)), `"valid":true`)

	s.must("keys.rerollKey", old.in(`{"keyId":"KEYID","expiration":4102444800000}`))
	require.Contains(t, s.showKey(old), fmt.Sprintf(`"expires":%d`, ends), "a sooner expiry stays")
	s.must("keys.rerollKey", fresh.in(`{"keyId":"KEYID","expiration":0}`))
	require.Contains(t, s.showKey(fresh), fmt.Sprintf(`"expires":%d`, s.now-1))
	require.Contains(t, s.must("keys.verifyKey", fresh.in(`{"key":"SECRET"}`)), `"code":"EXPIRED"`)

	for _, body := range []string{`{}`, `{"keyId":"abc"}`, `{"expiration":1}`, `{"keyId":"abc","expiration":-1}`, `{"keyId":"abc","expiration":4102444800001}`} {
		s.post("keys.rerollKey", body).fails(400, invalidInput)
	}
	s.post("keys.rerollKey", `{"keyId":"key_nothing","expiration":0}`).fails(404, keyNotFound)
	s.grant("api.*.read_key").post("keys.rerollKey", fresh.in(`{"keyId":"KEYID","expiration":0}`)).fails(403, forbidden)
}

// migrations.createMigration: docs/contract.md 7.2.
func TestCreateMigration(t *testing.T) {
	s := newServer(t)
	require.Equal(t, "{}", s.must("migrations.createMigration", `{"migrationId":"mig","algorithm":"sha256"}`))
	s.post("migrations.createMigration", `{"migrationId":"mig","algorithm":"sha256"}`).fails(409, "unkey/data/migration_already_exists")
	s.foreign().must("migrations.createMigration", `{"migrationId":"pre","algorithm":"`+prefixed+`"}`)
	for _, body := range []string{`{}`, `{"migrationId":"ab","algorithm":"sha256"}`, `{"migrationId":"abc","algorithm":"md5"}`} {
		s.post("migrations.createMigration", body).fails(400, invalidInput)
	}
}

func base64Of(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.StdEncoding.EncodeToString(sum[:])
}

type migrated struct {
	Migrated []struct{ Hash, KeyID string }
	Failed   []string
	Failures []struct{ Hash, Reason string }

	Interruption struct {
		Index int
		Error struct {
			Status int
			Detail string
		}
	}
}

// reasons are those of the failures, which are parallel to the failed hashes.
func (m *migrated) reasons(t testing.TB) (list []string) {
	t.Helper()
	require.Len(t, m.Failures, len(m.Failed))
	for i, f := range m.Failures {
		require.Equal(t, m.Failed[i], f.Hash)
		list = append(list, f.Reason)
	}
	return list
}

// keys.migrateKeys with hashes of full keys: docs/contract.md 2.3 and D-19.
func TestMigrateKeys(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	migrate := func(keys string) (m migrated) {
		data := s.must("keys.migrateKeys", f.in(`{"migrationId":"mig","apiId":"API","keys":[`+keys+`]}`))
		require.NotContains(t, data, "null")
		require.NoError(t, json.Unmarshal([]byte(data), &m))
		return m
	}
	m := migrate(fmt.Sprintf(`{"hash":%q,"externalId":"new one","name":"n","meta":{"a":1},"enabled":true,"credits":{"remaining":5}},`+
		`{"hash":%q,"externalId":"new one","enabled":false,"credits":{"remaining":null}}`, base64Of("legacy"), base64Of("second")))
	require.Len(t, m.Migrated, 2)
	require.Equal(t, base64Of("legacy"), m.Migrated[0].Hash)
	require.Empty(t, m.Failed)
	shown := s.must("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, m.Migrated[0].KeyID))
	require.Contains(t, shown, `"start":""`)
	require.Contains(t, shown, `"externalId":"new one"`)
	require.Contains(t, s.must("keys.verifyKey", `{"key":"legacy"}`), `"credits":4`)
	require.Contains(t, s.must("keys.verifyKey", `{"key":"second"}`), `"code":"DISABLED"`)

	m = migrate(fmt.Sprintf(`{"hash":%q},{"hash":"abc"},{"hash":%q},{"hash":%q}`, base64Of("legacy"), base64Of("third"), base64Of("third")))
	require.Len(t, m.Migrated, 1)
	require.Equal(t, []string{base64Of("legacy"), "abc", base64Of("third")}, m.Failed)
	require.Equal(t, []string{"in_use", "unfit", "repeated"}, m.reasons(t))

	one := fmt.Sprintf(`{"hash":%q}`, base64Of("fourth"))
	s.post("keys.migrateKeys", f.in(`{"migrationId":"unknown","apiId":"API","keys":[`+one+`]}`)).fails(404, migrationNotFound)
	s.post("keys.migrateKeys", `{"migrationId":"mig","apiId":"api_nothing","keys":[`+one+`]}`).fails(404, apiNotFound)
	s.grant("x").post("keys.migrateKeys", `{"migrationId":"mig","apiId":"api_nothing","keys":[`+one+`]}`).fails(403, forbidden)
	for _, body := range []string{
		`{"migrationId":"mig","apiId":"API","keys":[]}`, `{"migrationId":"mig","apiId":"API"}`, `{"migrationId":"","apiId":"API","keys":[` + one + `]}`,
		`{"migrationId":"mig","apiId":"","keys":[` + one + `]}`, `{"migrationId":"mig","apiId":"API","keys":[{"hash":""}]}`,
		`{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc","x":1}]}`, `{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc","roles":[""]}]}`,
		`{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc","permissions":["a b"]}]}`,
		`{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc","ratelimits":[{"name":"abc"}]}]}`,
		`{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc","ratelimits":null}]}`,
		`{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc","credits":{"remaining":1,"refill":{"interval":"monthly","amount":1}}}]}`,
	} {
		s.post("keys.migrateKeys", f.in(body)).fails(400, invalidInput)
	}
}

// Keys come with permissions, roles and rate limits, and what the workspace lacks of them is made: docs/contract.md 2.3.
func TestMigrateKeys_WithWhatKeysMayDo(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	key := func(name, rest string) string { return fmt.Sprintf(`{"hash":%q,%s}`, base64Of(name), rest) }
	body := f.in(`{"migrationId":"mig","apiId":"API","keys":[` +
		key("one", `"permissions":["DOCS.read","new.slug"],"roles":["Editor","fresh"],"ratelimits":[{"name":"calls","limit":1,"duration":60000,"autoApply":true}]`) + "," +
		key("two", `"permissions":["NEW.slug"],"roles":["FRESH"]`) + "," +
		key("two", `"permissions":["never.made"],"roles":["nor this"]`) + `]}`)
	var m migrated
	require.NoError(t, json.Unmarshal([]byte(s.grant("api.*.create_key").must("keys.migrateKeys", body)), &m))
	require.Len(t, m.Migrated, 2)
	require.Equal(t, []string{base64Of("two")}, m.Failed)
	one := s.must("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, m.Migrated[0].KeyID))
	require.Contains(t, one, `"permissions":["docs.read","new.slug"],"roles":["editor","fresh"],"ratelimits":[{"id":"rl_`)
	require.Contains(t, s.must("keys.getKey", fmt.Sprintf(`{"keyId":%q}`, m.Migrated[1].KeyID)), `"permissions":["new.slug"],"roles":["fresh"]`)
	require.Contains(t, s.must("keys.verifyKey", `{"key":"one","permissions":"new.slug"}`), `"code":"VALID"`)
	require.Contains(t, s.must("keys.verifyKey", `{"key":"one"}`), `"code":"RATE_LIMITED"`)
	require.Contains(t, s.must("permissions.getRole", `{"role":"fresh"}`), `"name":"fresh"}`)
	s.post("permissions.getRole", `{"role":"nor this"}`).fails(404, roleMissing)
	s.post("permissions.getPermission", `{"permission":"never.made"}`).fails(404, permissionMissing)
	e := s.audit(`{"limit":1,"event":"key.migrate"}`)[0]
	var types []string
	for _, r := range e.Resources {
		types = append(types, r.Type)
	}
	require.Equal(t, []string{"permission", "role", "key", "key"}, types)

	// A bad rate limit is told of, and nothing of the request is kept.
	s.post("keys.migrateKeys", f.in(`{"migrationId":"mig","apiId":"API","keys":[`+key("three", `"roles":["third"]`)+","+
		key("four", `"ratelimits":[{"name":"calls","limit":0,"duration":60000,"autoApply":true}]`)+`]}`)).fails(400, invalidInput)
	s.post("permissions.getRole", `{"role":"third"}`).fails(404, roleMissing)
}

// keys.verifyKey with migrationId: docs/contract.md 3.3 and row 150 of section 5. The first verification takes
// the key over.
func TestVerifyKey_TakesAMigratedKeyOver(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("migrations.createMigration", `{"migrationId":"pre","algorithm":"`+prefixed+`"}`)
	long := sha256.Sum256([]byte("longtoken"))
	var m migrated
	require.NoError(t, json.Unmarshal([]byte(s.must("keys.migrateKeys",
		f.in(fmt.Sprintf(`{"migrationId":"pre","apiId":"API","keys":[{"hash":%q,"credits":{"remaining":9}}]}`, hex.EncodeToString(long[:]))))), &m))
	id := m.Migrated[0].KeyID
	const key = "acme_short1_longtoken"
	missing := `{"valid":false,"code":"NOT_FOUND"}`
	for _, body := range []string{
		`{"key":"` + key + `"}`, `{"key":"longtoken"}`, `{"key":"longtoken","migrationId":"mig"}`, `{"key":"longtoken","migrationId":"none"}`, `{"key":"` + key + `","migrationId":"other"}`,
		`{"key":"a_b_other","migrationId":"pre"}`,
	} {
		require.Equal(t, missing, s.must("keys.verifyKey", body), body)
	}
	with := `{"key":"` + key + `","migrationId":"pre"}`
	require.Equal(t, missing, s.foreign().must("keys.verifyKey", with))
	require.Equal(t, missing, s.grant("x").must("keys.verifyKey", with))
	for left := 8; left >= 7; left-- {
		re := s.must("keys.verifyKey", with)
		require.Contains(t, re, `"valid":true`)
		require.Contains(t, re, fmt.Sprintf(`"credits":%d`, left))
		require.Contains(t, re, id)
	}
	require.Contains(t, s.must("keys.verifyKey", `{"key":"`+key+`"}`), `"credits":6`)
	require.Equal(t, missing, s.must("keys.verifyKey", `{"key":"zz_x_longtoken","migrationId":"pre"}`), "the old hash is gone")
	require.Equal(t, "acme_shor", s.get("start", "keys.getKey", fmt.Sprintf(`{"keyId":%q}`, id)))
	s.post("keys.verifyKey", fmt.Sprintf(`{"key":"x","migrationId":%q}`, strings.Repeat("x", 257))).fails(400, invalidInput)
}

// A key that has not the form of the keys of its migration is told so, unless it is known as it is: docs/contract.md 1.6 and 3.3.
func TestVerifyKey_MalformedMigratedKey(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("migrations.createMigration", `{"migrationId":"pre","algorithm":"`+prefixed+`"}`)
	refused := s.post("keys.verifyKey", `{"key":"nothing","migrationId":"pre"}`)
	require.Empty(t, *refused.fails(400, malformed).Error.Errors)
	require.Contains(t, refused.Error.Detail, "<prefix>_<short token>_<long token>")
	for _, key := range []string{
		"a_b", "a_b_", "_", rootKey, "Bearer co_SHORT_LONG", " co_SHORT_LONG", "co_SHORT_LONG ", "_SHORT_LONG", "co__LONG", "c o_SHORT_LONG", "co_SHÖRT_LONG",
	} {
		s.post("keys.verifyKey", fmt.Sprintf(`{"key":%q,"migrationId":"pre"}`, key)).fails(400, malformed)
	}
	require.NotContains(t, f.key, "_")
	with := f.in(`{"key":"SECRET","migrationId":"pre"}`)
	require.Contains(t, s.must("keys.verifyKey", with), `"credits":49`, "known by its full hash")

	// What the caller may not see is not known, and what is wrong with the request besides comes first.
	require.Equal(t, refused.anonymous(), s.grant("x").post("keys.verifyKey", with).anonymous())
	other := s.foreign()
	require.Contains(t, other.must("keys.verifyKey", with), `"NOT_FOUND"`, "no such migration there")
	other.must("migrations.createMigration", `{"migrationId":"pre","algorithm":"`+prefixed+`"}`)
	require.Equal(t, refused.anonymous(), other.post("keys.verifyKey", with).anonymous())
	s.post("keys.verifyKey", `{"key":"nothing","migrationId":"pre","ratelimits":[{"name":"abc","limit":1,"duration":1}]}`).fails(400, invalidInput)

	items := `"verifications":[{"key":"nothing","migrationId":"pre"},` + with + `,{"key":"nothing","migrationId":"none"},{"key":"nothing","migrationId":"mig"}]`
	data := s.must("keys.verifyKeys", `{`+items+`}`)
	require.Contains(t, data, `{"results":[{"error":{"title":"Bad Request","detail":`)
	require.Contains(t, data, malformed)
	require.Contains(t, data, `"credits":48`)
	require.Equal(t, 2, strings.Count(data, `"NOT_FOUND"`))
	require.Contains(t, s.must("keys.verifyKeys", `{"atomic":true,`+items+`}`), `"passed":false`)
	require.Contains(t, s.must("keys.verifyKey", `{"key":"`+f.key+`","credits":{"cost":0}}`), `"credits":48`)
}

// A migration hands out once, a sloppy request binds nothing, and a deleted key frees its hash: docs/contract.md 2.3, 3.3, D-25 and D-27.
func TestMigrateKeys_HandsOutOnce(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	s.must("migrations.createMigration", `{"migrationId":"pre","algorithm":"`+prefixed+`"}`)
	long := sha256.Sum256([]byte("LONG"))
	migrate := func() (m migrated) {
		body := f.in(fmt.Sprintf(`{"migrationId":"pre","apiId":"API","keys":[{"hash":%q,"credits":{"remaining":10}}]}`, hex.EncodeToString(long[:])))
		require.NoError(t, json.Unmarshal([]byte(s.must("keys.migrateKeys", body)), &m))
		return m
	}
	use := func(key string, cost int) *reply {
		return s.post("keys.verifyKey", fmt.Sprintf(`{"key":%q,"migrationId":"pre","credits":{"cost":%d}}`, key, cost))
	}
	first := migrate()
	require.Len(t, first.Migrated, 1)
	require.Empty(t, first.reasons(t))
	for _, sloppy := range []string{"Bearer co_SHORT_LONG", " co_SHORT_LONG", "_SHORT_LONG", "co__LONG"} {
		use(sloppy, 1).fails(400, malformed)
	}
	require.Contains(t, use("other_SHORT_LONG", 11).ok(), `"USAGE_EXCEEDED"`)
	require.Contains(t, use("co_SHORT_LONG", 10).ok(), `"VALID"`)
	second := migrate()
	require.Empty(t, second.Migrated)
	require.Equal(t, []string{"taken_over"}, second.reasons(t))
	require.Contains(t, use("x_y_LONG", 1).ok(), `"NOT_FOUND"`)

	s.must("keys.deleteKey", fmt.Sprintf(`{"keyId":%q}`, first.Migrated[0].KeyID))
	third := migrate()
	require.Len(t, third.Migrated, 1, "%v", third.Failures)
	require.Contains(t, use("co_SHORT_LONG", 4).ok(), `"credits":6`)
}

// A request of any size is split over entries, and answers as one: docs/contract.md 2.3 and D-37.
func TestMigrateKeys_InParts(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	const keys = 1500
	body := func(extra string) string {
		list := make([]string, 0, keys+1)
		for n := range keys {
			list = append(list, fmt.Sprintf(`{"hash":%q,"credits":{"remaining":5},"externalId":"owner %d","roles":["new role"]}`, base64Of(strconv.Itoa(n)), n%7))
		}
		return f.in(`{"migrationId":"mig","apiId":"API","keys":[` + strings.Join(append(list, extra), ",") + `]}`)
	}
	entries := func(do func()) uint64 {
		before := s.ledger.index
		do()
		return s.ledger.index - before
	}
	read := func(data json.RawMessage) (m migrated) {
		require.NoError(t, json.Unmarshal(data, &m))
		return m
	}
	broken := body(`{"hash":"abc","credits":{"remaining":null,"refill":{"interval":"daily","amount":1}}}`)
	s.post("keys.migrateKeys", broken).fails(400, invalidInput)
	s.grant("x").post("keys.migrateKeys", broken).fails(403, forbidden)
	repeated := body(fmt.Sprintf(`{"hash":%q}`, base64Of("3")))
	var first *reply
	parts := entries(func() { first = s.post("keys.migrateKeys", repeated, "Idempotency-Key", "once") })
	first.ok()
	require.Greater(t, parts, uint64(2), "a 400 added nothing, and one entry has no more than some hundred keys")
	require.Empty(t, first.Header().Get("Idempotency-Replayed"))
	m := read(first.Data)
	require.Len(t, m.Migrated, keys)
	require.Equal(t, []string{"repeated"}, m.reasons(t))

	again := s.post("keys.migrateKeys", repeated, "Idempotency-Key", "once")
	require.Equal(t, first.anonymous(), again.anonymous())
	require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
	s.post("keys.migrateKeys", body(`{"hash":"abc"}`), "Idempotency-Key", "once").fails(409, "unkey/application/idempotency_conflict")
	all := read(json.RawMessage(s.must("keys.migrateKeys", body(`{"hash":"abc"}`))))
	require.Empty(t, all.Migrated)
	require.Equal(t, append(slices.Repeat([]string{"in_use"}, keys), "unfit"), all.reasons(t))
}

// What ends a request after its first entry is no error, because something was added. The keys that were not reached say so, and can be sent again.
func TestMigrateKeys_Interrupted(t *testing.T) {
	for name, row := range map[string]struct {
		failure error
		status  int
	}{
		"not executed": {fault.New(fault.Unavailable, "no leader"), 200},
		"unknown":      {fault.New(fault.Unknown, "who knows"), 408},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			f := s.fixture()
			list := make([]string, 1200)
			for n := range list {
				list[n] = fmt.Sprintf(`{"hash":%q}`, base64Of(strconv.Itoa(n)))
			}
			body := f.in(`{"migrationId":"mig","apiId":"API","keys":[` + strings.Join(list, ",") + `]}`)
			commands := 0
			s.ledger.hook = func(context.Context) error {
				if s.ledger.calls[len(s.ledger.calls)-1] == "Execute" {
					commands++
				}
				if commands > 1 {
					return row.failure
				}
				return nil
			}
			re := s.post("keys.migrateKeys", body, "Idempotency-Key", "once")
			s.ledger.hook = nil
			require.Equal(t, row.status, re.Code, re.text)
			var m migrated
			if row.status == 200 {
				require.NoError(t, json.Unmarshal(re.Data, &m))
				require.NotEmpty(t, m.Migrated)
				require.Equal(t, slices.Repeat([]string{"interrupted"}, len(list)-len(m.Migrated)), m.reasons(t))
				require.Equal(t, len(m.Migrated), m.Interruption.Index, "the first key that was not reached")
				require.Equal(t, 503, m.Interruption.Error.Status)
				require.Contains(t, m.Interruption.Error.Detail, "no leader")
			}
			require.NoError(t, json.Unmarshal([]byte(s.post("keys.migrateKeys", body, "Idempotency-Key", "once").ok()), &m))
		})
	}
}

// However many keys a body has, a request holds a small multiple of it: the keys are read from it one by one. docs/contract.md 1.10
// [D-41].
func TestMigrateKeys_ManyKeysTakeLittleMemory(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	item := `{"hash":"abc"},`
	body := f.in(`{"migrationId":"mig","apiId":"API","keys":[` + strings.Repeat(item, 1<<20/len(item)) + `{"hash":"abc"}]}`)
	live := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := live()
	finish := s.holdAnswer("keys.migrateKeys", body)
	during := live()
	require.Equal(t, 200, finish())
	t.Logf("%.1f MiB", float64(during-before)/(1<<20))
	require.Less(t, during-before, 64*len(body)/10, "64 MiB for 10 MiB")
}
