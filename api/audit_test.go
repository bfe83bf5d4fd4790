package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

type auditEntry struct {
	Index     uint64
	Time      int64
	Event     string
	Actor     struct{ KeyID, Name string }
	Resources []struct{ Type, ID string }
	Balances  []struct {
		Type, ID      string
		Before, After *int64
	}
	RequestID, RemoteAddr, UserAgent string
}

// audit returns a page of entries.
func (s *server) audit(body string) (list []auditEntry) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.must("audit.listEntries", body)), &list))
	return list
}

// audit.listEntries: docs/contract.md 7.4.
func TestListAuditEntries(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	require.Equal(t, "role.create", s.audit(`{"limit":1}`)[0].Event)
	s.now += 1000
	re := s.post("keys.updateCredits", f.in(`{"keyId":"KEYID","operation":"set","value":null}`), "User-Agent", "curl/8", "X-Forwarded-For", "192.0.2.99")
	re.ok()
	require.JSONEq(t, f.in(fmt.Sprintf(`[{
		"index":%s,"time":%d,"event":"key.credits.update","actor":{"keyId":"key_root","name":"bootstrap"},
		"resources":[{"type":"key","id":"KEYID"}],"balances":[{"type":"key","id":"KEYID","before":10,"after":null}],
		"requestId":%q,"remoteAddr":"192.0.2.1:1234","userAgent":"curl/8"}]`,
		re.Header().Get("Creditd-Index"), s.now, re.Meta.RequestID)), s.must("audit.listEntries", `{"limit":1}`))

	require.Len(t, s.audit(f.in(`{"resourceId":"KEYID"}`)), 2)
	require.Len(t, s.audit(fmt.Sprintf(`{"from":%d}`, s.now)), 1)
	require.NotEmpty(t, s.audit(fmt.Sprintf(`{"to":%d}`, s.now)))
	require.Empty(t, s.audit(`{"to":0}`))
	require.Empty(t, s.audit(`{"actorId":"key_nobody"}`))
	require.Equal(t, "api", s.audit(`{"event":"api.create","actorId":"key_root"}`)[0].Resources[0].Type)

	all := s.audit(`{}`)
	var paged []auditEntry
	for body := `{"limit":2}`; body != ""; {
		re := s.post("audit.listEntries", body)
		var page []auditEntry
		require.NoError(t, json.Unmarshal([]byte(re.ok()), &page))
		paged, body = append(paged, page...), ""
		if re.Pagination.HasMore {
			body = fmt.Sprintf(`{"limit":2,"cursor":%q}`, *re.Pagination.Cursor)
		}
		s.must("apis.createApi", `{"name":"meanwhile"}`)
	}
	require.Equal(t, all, paged)

	for _, body := range []string{
		`{"event":"key.verify"}`, `{"limit":0}`, `{"limit":101}`, `{"from":-1}`, `{"to":4102444800001}`, `{"resourceId":""}`, `{"actorId":""}`,
		`{"x":1}`, `{"from":null}`,
	} {
		s.post("audit.listEntries", body).fails(400, invalidInput)
	}
}

// Docs/contract.md 7.4: a limit that makes its namespace is a change, another one is not; neither is a verification.
func TestAudit_KnowsAChangeFromAUse(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	before := len(s.audit(`{}`))
	s.must("keys.verifyKey", f.in(`{"key":"SECRET"}`))
	s.must("ratelimit.limit", `{"namespace":"space","identifier":"i","limit":9,"duration":60000}`)
	s.post("apis.getApi", `{"apiId":"api_nothing"}`).fails(404, apiNotFound)
	s.post("keys.deleteKey", `{"keyId":"key_nothing"}`).fails(404, keyNotFound)
	s.must("cluster.transferLeadership", `{}`)
	require.Len(t, s.audit(`{}`), before)
	re := s.post("ratelimit.limit", `{"namespace":"new","identifier":"i","limit":9,"duration":60000}`, "User-Agent", strings.Repeat("ü", 200))
	re.ok()
	e := s.audit(`{}`)[0]
	require.Equal(t, "ratelimit.namespace.create", e.Event)
	require.Equal(t, re.Meta.RequestID, e.RequestID)
	require.Equal(t, strings.Repeat("ü", 128), e.UserAgent)
}

// A repetition with the same Idempotency-Key leaves no second audit entry. Nor does a command that is asked twice because it makes a
// namespace. See docs/contract.md 7.1 and 7.4.
func TestAudit_KnowsARepetition(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	for _, request := range []struct{ endpoint, body string }{
		{"ratelimit.limit", `{"namespace":"new","identifier":"i","limit":9,"duration":60000}`},
		{"keys.updateCredits", f.in(`{"keyId":"KEYID","operation":"increment","value":5}`)},
	} {
		before := len(s.audit(`{}`))
		first := s.post(request.endpoint, request.body, "Idempotency-Key", "once")
		again := s.post(request.endpoint, request.body, "Idempotency-Key", "once")
		require.Equal(t, first.ok(), again.ok())
		list := s.audit(`{}`)
		require.Len(t, list, before+1)
		require.Equal(t, first.Meta.RequestID, list[0].RequestID)
	}
}

// No entry contains a key, a root key or a hash of one: docs/contract.md 7.4.
func TestAudit_KeepsSecretsOut(t *testing.T) {
	aloneOnly(t) // it looks into the state
	s := newServer(t)
	f := s.fixture()
	secrets := []string{rootKey, f.key, "Bearer"}
	secrets = append(secrets, s.post("keys.createKey", f.in(`{"apiId":"API","prefix":"p"}`)).field("key"))
	secrets = append(secrets, s.post("keys.rerollKey", f.in(`{"keyId":"KEYID","expiration":0}`)).field("key"))
	secrets = append(secrets, s.post("rootKeys.createRootKey", `{"name":"ci","permissions":["a"]}`).field("key"))
	const hash = "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg="
	s.must("keys.migrateKeys", f.in(`{"migrationId":"mig","apiId":"API","keys":[{"hash":"`+hash+`"}]}`))
	secrets = append(secrets, hash)
	events := map[string]bool{}
	for _, e := range s.audit(`{}`) {
		events[e.Event] = true
	}
	require.Subset(t, events, map[string]bool{"key.create": true, "key.reroll": true, "rootKey.create": true, "key.migrate": true})
	kept := s.must("audit.listEntries", `{}`)
	frozen := s.state.Freeze()
	for !frozen.Done() {
		for _, c := range frozen.Next(100, nil) {
			if c.Name().Kind == fsm.AuditKind {
				record, err := json.Marshal(c.Record)
				require.NoError(t, err)
				kept += string(record)
			}
		}
	}
	for _, secret := range secrets {
		require.NotContains(t, kept, secret)
	}
}

// Two workspaces see nothing of each other's entries: docs/contract.md 7.4.
func TestAudit_StaysInItsWorkspace(t *testing.T) {
	s := newServer(t)
	f := s.fixture()
	other := s.foreign()
	require.Empty(t, other.audit(`{}`))
	require.Empty(t, other.audit(f.in(`{"resourceId":"KEYID"}`)))
	cursor := *s.post("audit.listEntries", `{"limit":1}`).Pagination.Cursor
	require.Empty(t, other.audit(fmt.Sprintf(`{"cursor":%q}`, cursor)))
	other.must("apis.createApi", `{"name":"theirs"}`)
	require.Len(t, other.audit(`{}`), 1)
	for _, e := range s.audit(`{}`) {
		require.NotEqual(t, other.audit(`{}`)[0].Index, e.Index)
	}
}
