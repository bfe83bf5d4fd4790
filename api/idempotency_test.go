package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

const idempotencyConflict = "unkey/application/idempotency_conflict"

// outsideLedger are the endpoints that change something and leave no idempotency record: docs/contract.md 7.1.
var outsideLedger = []string{"cluster.changeGossipKeys", "cluster.removeServer", "cluster.transferLeadership"}

// examples are the bodies of the document by endpoint, and which of the endpoints only ask.
func examples(t testing.TB) (bodies map[string]string, reads map[string]bool) {
	bodies, reads = map[string]string{}, map[string]bool{}
	for path, item := range publish().document["paths"].(map[string]any) {
		operation, ok := item.(map[string]any)["post"].(map[string]any)
		if !ok {
			continue
		}
		name := strings.TrimPrefix(path, "/v2/")
		text, err := json.Marshal(publish().find("paths", path, "post", "requestBody", "content", "application/json")["example"])
		require.NoError(t, err)
		bodies[name] = string(text)
		parameters, _ := operation["parameters"].([]any)
		reads[name] = strings.Contains(fmt.Sprint(parameters), "Consistency")
		require.Equal(t, !reads[name] && !slices.Contains(outsideLedger, name), strings.Contains(fmt.Sprint(parameters), "IdempotencyKey"), name)
	}
	return bodies, reads
}

// Every endpoint that changes or debits something answers a repetition with the same bytes and does nothing; with another body it refuses.
// docs/contract.md 7.1.
func TestIdempotency_EveryEndpoint(t *testing.T) {
	aloneOnly(t) // a cluster for each would take minutes
	bodies, reads := examples(t)
	for _, route := range newServer(t).each[0].Routes() {
		if route.Method != http.MethodPost {
			continue
		}
		name := strings.TrimPrefix(route.Path, "/v2/")
		body := bodies[name]
		require.NotEmpty(t, body, "%s has no example", name)
		if reads[name] || slices.Contains(outsideLedger, name) {
			t.Run(name, func(t *testing.T) {
				s := exampleLedger(t)
				re := s.post(name, body, "Idempotency-Key", "k").fails(400, invalidInput)
				require.Contains(t, re.Error.Detail, "Idempotency-Key")
				require.Empty(t, s.calls)
			})
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := exampleLedger(t).grant(fsm.AllPermissions()...)
			first := s.post(name, body, "Idempotency-Key", "order:1")
			first.ok()
			require.Empty(t, first.Header().Get("Idempotency-Replayed"))
			s.now += 1000
			digest := s.settledDigest()
			again := s.post(name, body, "Idempotency-Key", "order:1")
			again.ok()
			require.Equal(t, first.anonymous(), again.anonymous())
			require.NotEqual(t, first.Meta.RequestID, again.Meta.RequestID)
			require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"))
			require.Equal(t, first.Header().Get("Creditd-Index"), again.Header().Get("Creditd-Index"))
			require.Equal(t, first.Header().Get("Content-Type"), again.Header().Get("Content-Type"))
			require.Equal(t, digest, s.digest())

			other := s.post(name, body+" ", "Idempotency-Key", "order:1").fails(409, idempotencyConflict)
			require.Equal(t, "Conflicting Resource", other.Error.Title)
			require.Empty(t, other.Header().Get("Idempotency-Replayed"))
			require.Equal(t, digest, s.digest())
		})
	}
}

// settledDigest is the digest once later entries remove nothing more of what was deleted: docs/contract.md D-65.
func (s *server) settledDigest() fsm.Digest {
	for {
		before := s.digest()
		s.state.Apply(fsm.Batch{Stamp: s.now})
		if after := s.digest(); after == before {
			return after
		}
	}
}

// The form of the header: docs/contract.md 7.1.
func TestIdempotency_Form(t *testing.T) {
	s := newServer(t)
	send := func(values ...string) *reply {
		r := s.request("apis.createApi", `{"name":"abc"}`)
		r.Header["Idempotency-Key"] = values
		return s.do(r)
	}
	for _, values := range [][]string{
		{""}, {"a b"}, {"tab\there"}, {"é"}, {"\x7f"}, {strings.Repeat("x", 256)}, {"a", "b"}, {"a", "a"}, {},
	} {
		send(values...).fails(400, invalidInput)
	}
	require.Empty(t, s.calls)
	send(strings.Repeat("~", 255)).ok()
	send("!").ok()
	s.as("nobody").post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "a b").fails(400, invalidInput)
	s.as("nobody").post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "a").fails(401, "unkey/authentication/key_not_found")
}

// However often a call is repeated, it debits once. A denial is stored as well; a refusal leaves no record. docs/contract.md 7.1.
func TestIdempotency_ChargesOnce(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"credits":{"remaining":5}`)
	ask := func(key, body string) string {
		return s.post("keys.verifyKey", f.in(body), "Idempotency-Key", key).ok()
	}
	for range 5 {
		require.Contains(t, ask("a", `{"key":"SECRET"}`), `"credits":4`)
	}
	require.Contains(t, ask("b", `{"key":"SECRET"}`), `"credits":3`)
	for range 2 {
		require.Contains(t, ask("c", `{"key":"SECRET","credits":{"cost":9}}`), `"code":"USAGE_EXCEEDED"`)
		s.must("keys.updateCredits", f.in(`{"keyId":"KEYID","operation":"set","value":100}`))
	}
	require.Contains(t, ask("none", `{"key":"nobody"}`), `"NOT_FOUND"`)

	s.post("keys.updateKey", `{"keyId":"key_later","name":"n"}`, "Idempotency-Key", "d").fails(404, keyNotFound)
	s.apply(t, rootKey, &fsm.CreateKey{ID: "key_later", Hash: mint.Hash("later"), APIID: f.apiID, Expires: fsm.Never})
	s.post("keys.updateKey", `{"keyId":"key_later","name":"n"}`, "Idempotency-Key", "d").ok()

	// The same key at another endpoint, and in another workspace, is another name.
	s.post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "a").ok()
	require.Empty(t, s.foreign().post("apis.createApi", `{"name":"xyz"}`, "Idempotency-Key", "a").Header().Get("Idempotency-Replayed"))

	s.now += day - 1
	require.Contains(t, ask("a", `{"key":"SECRET"}`), `"credits":4`)
	s.now++
	require.Contains(t, ask("a", `{"key":"SECRET"}`), `"credits":99`)
}

// A secret is told again to the caller it was made for, and to no other root key: docs/contract.md 7.1.
func TestIdempotency_Secrets(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	other := s.grant(fsm.AllPermissions()...)
	for _, test := range []struct{ endpoint, body, form string }{
		{"keys.createKey", f.in(`{"apiId":"API","prefix":"my_app","byteLength":255}`), `^my_app_[1-9A-HJ-NP-Za-km-z]{340,352}$`},
		{"keys.createKey", f.in(`{"apiId":"API"}`), `^[1-9A-HJ-NP-Za-km-z]{21,22}$`},
		{"keys.rerollKey", f.in(`{"keyId":"KEYID","expiration":0}`), `^[1-9A-HJ-NP-Za-km-z]{21,22}$`},
		{"rootKeys.createRootKey", `{"name":"x","permissions":["api.*.read_api"]}`, `^root_[1-9A-HJ-NP-Za-km-z]{32,33}$`},
	} {
		name := fmt.Sprintf("n%d", len(test.body))
		key := s.post(test.endpoint, test.body, "Idempotency-Key", name).field("key")
		require.Regexp(t, test.form, key)
		require.Equal(t, key, s.post(test.endpoint, test.body, "Idempotency-Key", name).field("key"))
		digest := s.digest()
		other.post(test.endpoint, test.body, "Idempotency-Key", name).fails(409, idempotencyConflict)
		require.Equal(t, digest, s.digest())
		if strings.HasPrefix(test.endpoint, "keys.") {
			require.Contains(t, s.must("keys.verifyKey", fmt.Sprintf(`{"key":%q}`, key)), `"valid":true`)
		} else {
			s.as(key).post("apis.getApi", f.in(`{"apiId":"API"}`)).ok()
		}
		require.NotEqual(t, key, s.post(test.endpoint, test.body, "Idempotency-Key", name+"x").field("key"))
		s.now += day // the name is free again, and its key is another one
		again := s.post(test.endpoint, test.body, "Idempotency-Key", name)
		require.Empty(t, again.Header().Get("Idempotency-Replayed"))
		require.NotEqual(t, key, again.field("key"))
	}

	// The old key may be gone by the time the answer is asked for again.
	old := s.newKey(f, `,"prefix":"p"`)
	reroll := func() *reply {
		return s.post("keys.rerollKey", old.in(`{"keyId":"KEYID","expiration":0}`), "Idempotency-Key", "gone")
	}
	key := reroll().field("key")
	s.must("keys.deleteKey", old.in(`{"keyId":"KEYID","permanent":true}`))
	require.Equal(t, key, reroll().field("key"))
	require.True(t, strings.HasPrefix(key, "p_"))
}

// Who has a root key that was stolen or revoked cannot compute the keys that it made: the nonce is in the idempotency record alone, and goes
// with it. While the ledger cannot keep a nonce, a secret comes from the root key as before. docs/contract.md 7.1, D-50.
func TestIdempotency_SecretsNeedTheRecord(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	made := func(name string) (endpoint, id, key string) {
		re := s.post("keys.createKey", f.in(`{"apiId":"API"}`), "Idempotency-Key", name)
		return "keys.createKey", re.field("keyId"), re.field("key")
	}
	fromRootKey := func(name, endpoint, id string) string {
		key, _ := mint.Derived("", 16, rootKey, fsm.ShortHash{}, endpoint, name, id)
		return key
	}
	nonceOf := func(id string) (nonce fsm.ShortHash, found bool) {
		frozen := s.state.Freeze()
		defer frozen.Release(false)
		for _, change := range frozen.Next(frozen.Len, nil) {
			if o, ok := change.Record.(*fsm.IdempotencyRecord); ok && o.Result.(*fsm.Created).ID == id {
				return o.Result.(*fsm.Created).Nonce, true
			}
		}
		return nonce, false
	}
	endpoint, id, key := made("a")
	require.NotEqual(t, fromRootKey("a", endpoint, id), key)
	nonce, found := nonceOf(id)
	require.True(t, found)
	require.NotZero(t, nonce)
	derived, _ := mint.Derived("", 16, rootKey, nonce, endpoint, "a", id)
	require.Equal(t, key, derived, "the record and the root key together give it")
	s.now += day
	s.must("apis.createApi", `{"name":"abc"}`)
	_, found = nonceOf(id)
	require.False(t, found)

	// A secret of an older ledger is told again after the ledger has risen, and the other way round on a node that does not know yet.
	s.version = 2
	endpoint, id, key = made("b")
	require.Equal(t, fromRootKey("b", endpoint, id), key)
	s.version = 0
	_, _, again := made("b")
	require.Equal(t, key, again)
	_, _, key = made("c")
	s.version = 2
	_, _, again = made("c")
	require.Equal(t, key, again)
}

// A full store is a 429 with the time until a record expires, and nothing was executed: docs/contract.md 7.1.
func TestIdempotency_Full(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	s.maximum = 1
	s.post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "a").ok()
	digest := s.digest()
	s.now += 1500
	re := s.post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "b").fails(429, "user/too_many_requests/workspace_rate_limited")
	require.Equal(t, "86399", re.Header().Get("Retry-After"))
	require.Equal(t, digest, s.digest())
	s.post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "a").ok()
	s.post("apis.createApi", `{"name":"abc"}`).ok()
	s.foreign().post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", "b").ok() // what one workspace stored refuses nobody else
}

// An item of keys.verifyKeys has a name of its own: docs/contract.md 7.2.
func TestIdempotency_Items(t *testing.T) {
	s := newServer(t)
	f := s.newKey(s.fixture(), `,"credits":{"remaining":9}`)
	item := func(fields string) string { return f.in(`{"key":"SECRET"` + fields + `}`) }
	first, _ := s.verifyAll(false, item(`,"idempotencyKey":"a"`), item(``), item(`,"idempotencyKey":"a"`), item(`, "idempotencyKey":"a"`))
	require.Equal(t, []string{"VALID 8", "VALID 7", "VALID 8", "409 " + idempotencyConflict}, codes(t, first))
	require.Equal(t, first[0], first[2])
	digest := s.digest()
	again, _ := s.verifyAll(false, ` `+item(`,"idempotencyKey":"a"`)+` `)
	require.Equal(t, first[:1], again)
	require.Equal(t, digest, s.digest())

	// Neither the header nor keys.verifyKey meets it.
	require.Contains(t, s.post("keys.verifyKey", item(``), "Idempotency-Key", "a").ok(), `"credits":6`)
	batch := fmt.Sprintf(`{"verifications":[%s]}`, item(`,"idempotencyKey":"b"`))
	re := s.post("keys.verifyKeys", batch, "Idempotency-Key", "a")
	require.Contains(t, re.ok(), `"credits":5`)
	require.Equal(t, re.anonymous(), s.post("keys.verifyKeys", batch, "Idempotency-Key", "a").anonymous())

	for _, bad := range []string{`""`, `"a b"`, `"é"`, `1`, `"` + strings.Repeat("x", 256) + `"`} {
		s.post("keys.verifyKeys", `{"verifications":[`+item(`,"idempotencyKey":`+bad)+`]}`).fails(400, invalidInput)
	}
	refused := s.post("keys.verifyKeys", `{"verifications":[`+item(`,"idempotencyKey":"c"`)+`],"atomic":true}`).fails(400, invalidInput)
	require.Contains(t, refused.Error.Detail, "Idempotency-Key")
	results, _ := s.verifyAll(false, item(`,"permissions":"a b","idempotencyKey":"d"`))
	require.Equal(t, []string{"400 " + querySyntax}, codes(t, results))
	results, _ = s.verifyAll(false, item(`,"idempotencyKey":"d"`))
	require.Equal(t, []string{"VALID 4"}, codes(t, results), "an error leaves no trace")
}

// keeping is a node that keeps what it was asked to execute.
type keeping struct {
	*ledger
	kept []fsm.Call
}

func (k *keeping) Execute(ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
	k.kept = append(k.kept, call)
	return k.ledger.Execute(ctx, call)
}

// A command may wait to be proposed after its client hung up. The next request must not change what it was named.
func TestIdempotency_BelongsToItsCommand(t *testing.T) {
	node := &keeping{}
	s := newServer(t, func(c *api.Config) {
		if l, ok := c.Node.(place); ok {
			node.ledger = l.ledger
		}
		c.Node = node
	})
	for n := range 5 {
		s.must("apis.createApi", `{"name":"abc"}`) // takes a call from the pool
		s.post("apis.createApi", `{"name":"abc"}`, "Idempotency-Key", strconv.Itoa(n)).ok()
	}
	seen := map[fsm.ShortHash]bool{}
	for _, call := range node.kept {
		if call.Idempotency != nil {
			seen[call.Idempotency.Key] = true
		}
	}
	require.Len(t, seen, 5)
	require.NotContains(t, seen, fsm.ShortHash{})
}
