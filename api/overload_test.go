package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/fsm"
	"github.com/stretchr/testify/require"
)

const overloaded = "user/too_many_requests/workspace_rate_limited"

// unreadableBody fails a test that reads it.
type unreadableBody struct{ t testing.TB }

func (b unreadableBody) Read([]byte) (int, error) {
	b.t.Error("the body was read")
	return 0, io.ErrUnexpectedEOF
}

// countedBody counts what is read of an endless body.
type countedBody int

func (b *countedBody) Read(p []byte) (int, error) {
	*b += countedBody(len(p))
	return len(p), nil
}

// lagging is a node that has not heard of any root key yet, or of any permission.
type lagging struct {
	api.Node
	code fsm.RefusalCode
}

func (l lagging) AnswerStale(context.Context, fsm.Hash, fsm.Query, uint64) (fsm.Result, uint64, error) {
	return &fsm.Refusal{Code: l.code}, 7, nil
}

// identityBody is a body of about n bytes that the schema accepts.
func identityBody(name string, n int) string {
	return fmt.Sprintf(`{"externalId":%q,"meta":{"a":%q}}`, name, strings.Repeat("x", n))
}

// Nobody without a root key is heard out beyond 64 KiB: docs/contract.md 1.2.
func TestBody_LargeOnesNeedAKnownRootKey(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	announced := func(n int64, headers ...string) *reply {
		r := s.request("identities.createIdentity", "", headers...)
		r.Body, r.ContentLength = io.NopCloser(unreadableBody{t}), n
		re := s.do(r)
		require.Equal(t, "close", re.Header().Get("Connection"))
		return re
	}
	announced(64<<10+1, "Authorization", "Bearer nobody").fails(401, "unkey/authentication/key_not_found")
	announced(64<<10+1, "Authorization", "Basic x").fails(400, "unkey/authentication/malformed")
	announced(64<<10+1, "Authorization", "").fails(400, invalidInput)
	announced(64<<10+1, "Content-Type", "text/plain", "Authorization", "Bearer nobody").fails(400, invalidInput)
	announced(10<<20+1).fails(413, "user/bad_request/request_body_too_large")

	endless := new(countedBody)
	r := s.request("identities.createIdentity", "", "Authorization", "Bearer nobody")
	r.Body, r.ContentLength = io.NopCloser(endless), -1
	s.do(r).fails(401, "unkey/authentication/key_not_found")
	require.EqualValues(t, 64<<10+1, *endless)

	small := identityBody("x", 64<<10-64) + strings.Repeat(" ", 20)
	require.LessOrEqual(t, len(small), 64<<10)
	re := s.post("identities.createIdentity", small+"}", "Authorization", "Bearer nobody").fails(400, invalidInput)
	require.NotEmpty(t, *re.Error.Errors, "the body of up to 64 KiB is looked at first")
}

// A node that lags behind refuses nobody whom the cluster knows.
func TestBody_LargeOnesAreNotRefusedForAnOldState(t *testing.T) {
	aloneOnly(t)
	for code, asked := range map[fsm.RefusalCode][]string{
		fsm.RootKeyNotFound: {"Answer", "Answer", "Execute"}, fsm.InsufficientPermissions: {"Answer", "Execute"}, // who lacks a permission is authenticated
	} {
		s := newServer(t, func(c *api.Config) { c.Node = lagging{c.Node, code} })
		s.post("identities.createIdentity", identityBody("x", 100<<10)).ok()
		require.Equal(t, asked, s.calls)
	}
	s := newServer(t, func(c *api.Config) { c.Node = lagging{c.Node, fsm.RootKeyNotFound} })
	s.post("identities.createIdentity", identityBody("y", 100<<10), "Authorization", "Bearer nobody").fails(401, "unkey/authentication/key_not_found")
	require.Equal(t, []string{"Answer"}, s.calls)
}

// A repetition needs no permission, however large it is: docs/contract.md 7.1. Who has nothing to repeat is not heard out.
func TestBody_LargeRepetitionsNeedNoPermission(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	weak := s.grant("other.*.thing")
	identity := identityBody("repeated", 100<<10)
	migration := f.in(`{"migrationId":"mig","apiId":"API","keys":[{"hash":"abc"}]}`) + strings.Repeat(" ", 100<<10)
	for endpoint, body := range map[string]string{"identities.createIdentity": identity, "keys.migrateKeys": migration} {
		first := s.post(endpoint, body, "Idempotency-Key", "once")
		first.ok()
		again := weak.post(endpoint, body, "Idempotency-Key", "once")
		again.ok()
		require.Equal(t, "true", again.Header().Get("Idempotency-Replayed"), endpoint)
		weak.post(endpoint, body).fails(403, forbidden)
	}
	weak.post("identities.createIdentity", identity+" ", "Idempotency-Key", "once").fails(409, idempotencyConflict)
	for _, header := range []string{"another", "not valid"} {
		r := weak.request("identities.createIdentity", "", "Idempotency-Key", header)
		r.Body, r.ContentLength = io.NopCloser(unreadableBody{t}), 64<<10+1
		s.do(r).fails(403, forbidden)
	}
}

// A 403 before a large body counts for the quota of the workspace, once, as that behind a small one does.
func TestBody_LargeOnesCountForTheQuota(t *testing.T) {
	aloneOnly(t)
	s := newServer(t).foreign()
	s.as(rootKey).must("workspaces.updateWorkspace", fmt.Sprintf(`{"workspaceId":%q,"limits":{"requestsPerSecond":2}}`, s.workspace))
	weak := s.grant("other.*.thing")
	refused := func() *reply { return weak.post("identities.createIdentity", identityBody("x", 100<<10)) }
	require.Equal(t, "1", refused().fails(403, forbidden).Header().Get("RateLimit-Remaining"), "counted once")
	require.Eventually(t, func() bool { return refused().Code == http.StatusTooManyRequests }, 10*time.Second, time.Millisecond)
}

// An empty list of identities needs no permission, so a large body of this endpoint is received.
func TestBody_LargeOnesOfAnEmptyList(t *testing.T) {
	aloneOnly(t)
	weak := newServer(t).foreign().grant("other.*.thing")
	weak.post("identities.listIdentities", "{}"+strings.Repeat(" ", 100<<10)).ok()
}

// A root key that may do something to one resource is heard out, whichever one the body names. docs/contract.md 1.2.
func TestBody_LargeOnesOfWhoeverMayDoItToOneResource(t *testing.T) {
	aloneOnly(t)
	s := newServer(t)
	f := s.fixture()
	read := func(permission string) *reply {
		return s.grant(f.in(permission)).post("keys.getKey", f.in(`{"keyId":"KEYID"}`)+strings.Repeat(" ", 100<<10))
	}
	read("api.API.read_key").ok()
	require.Contains(t, read("api.api_other.read_key").fails(403, forbidden).Error.Detail, f.apiID, "the ledger decided, with the body")
	for _, useless := range []string{"api.API.verify_key", "api..read_key", "identity.API.read_key", "other.*.thing"} {
		re := read(useless).fails(403, forbidden)
		require.Contains(t, re.Error.Detail, "api.*.read_key or api.<apiId>.read_key", useless)
	}
}

// held is a request whose body is on its way.
type held struct {
	s        *server
	body     *io.PipeWriter
	answered chan int
}

// hold begins a request with a body of n bytes, and sends all but one of them.
func (s *server) hold(n int, headers ...string) held {
	from, to := io.Pipe()
	r := s.request("identities.getIdentity", "", headers...)
	r.Body, r.ContentLength = from, int64(n)
	h := held{s, to, make(chan int, 1)}
	go func() {
		rec := httptest.NewRecorder()
		s.handler.ServeHTTP(rec, r)
		h.answered <- rec.Code
		from.Close()
	}()
	return h.send(n - 1)
}

func (h held) send(n int) held {
	_, _ = io.WriteString(h.body, strings.Repeat(" ", n))
	return h
}

// finish ends the body, which is no JSON, and returns the status.
func (h held) finish() int {
	h.send(1).body.Close()
	return <-h.answered
}

// gauge is a metric of the held bytes.
func (s *server) gauge(kind string) string {
	families, err := s.registries[0].Gather()
	require.NoError(s.t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "creditd_api_held_bytes" && m.GetLabel()[0].GetValue() == kind {
				return fmt.Sprint(int64(m.GetGauge().GetValue()))
			}
		}
	}
	return "none"
}

// The bodies that all callers send at once are bounded, and no caller gets all of the room. docs/contract.md 1.10 [D-41].
func TestBody_RoomForLargeOnesIsShared(t *testing.T) {
	aloneOnly(t)
	s := newServer(t, func(c *api.Config) { c.BodyMemory = 6 << 20 }) // 3 MiB for large ones, of which each counts fourfold
	known := []string{"identity.*.create_identity", "identity.*.read_identity"}
	others := []*server{s.grant(known...), s.grant(known...), s.grant(known...)}
	const size = 150 << 10
	first, second := s.hold(size), s.hold(size)
	s.calls = nil
	re := s.post("identities.createIdentity", identityBody("x", size)).fails(429, overloaded)
	require.Equal(t, "1", re.Header().Get("Retry-After"))
	require.NotContains(t, s.calls, "Execute")
	others[0].post("identities.createIdentity", identityBody("x", size)).ok()
	third := others[0].hold(size)
	others[1].post("identities.createIdentity", identityBody("y", size)).ok()
	fourth := others[1].hold(size)
	others[2].post("identities.createIdentity", identityBody("z", size)).fails(429, overloaded)
	s.post("identities.createIdentity", identityBody("small", 60<<10)).ok()

	for _, h := range []held{first, second, third, fourth} {
		require.Equal(t, 400, h.finish())
	}
	require.Eventually(t, func() bool { return s.gauge("large_body") == "0" }, time.Second, time.Millisecond)
	s.post("identities.createIdentity", identityBody("x2", size)).ok()
	s.post("identities.createIdentity", identityBody("largest", 1<<20-100)).ok()
}

// Strangers get half of the room for small bodies. The smallest bodies need none.
func TestBody_SmallOnesOfKnownCallersPassBesideStrangers(t *testing.T) {
	aloneOnly(t)
	s := newServer(t, func(c *api.Config) { c.BodyMemory = 2 << 20 }) // 1 MiB for small ones
	var strangers []held
	for i := range 4 {
		strangers = append(strangers, s.hold(40<<10, "Authorization", fmt.Sprintf("Bearer nobody%d", i)))
	}
	s.post("identities.createIdentity", identityBody("x", 40<<10), "Authorization", "Bearer nobody9").fails(401, "unkey/authentication/key_not_found")
	s.post("identities.createIdentity", identityBody("x", 40<<10)).ok()
	s.post("identities.createIdentity", identityBody("y", 3<<10)).ok()
	for _, h := range strangers {
		require.Equal(t, 400, h.finish())
	}
	require.Eventually(t, func() bool { return s.gauge("small_body") == "0" }, time.Second, time.Millisecond)
}

// While the process is short of memory, small requests go on.
func TestOverload_LargeRequestsWaitForMemory(t *testing.T) {
	aloneOnly(t)
	short := true
	s := newServer(t, func(c *api.Config) { c.MemoryShort = func() bool { return short } })
	f := s.fixture()
	k := s.newKey(f, ``)
	s.calls = nil
	many := k.in(`{"verifications":[` + strings.Repeat(`{"key":"SECRET"},`, 99) + `{"key":"SECRET"}]}`)
	s.post("identities.createIdentity", identityBody("x", 100<<10)).fails(429, overloaded)
	s.post("identities.listIdentities", `{}`).fails(429, overloaded)
	s.post("keys.verifyKeys", many).fails(429, overloaded)
	require.NotContains(t, s.calls, "Execute")
	s.post("keys.verifyKey", k.in(`{"key":"SECRET"}`)).ok()
	s.post("keys.verifyKeys", k.in(`{"verifications":[{"key":"SECRET"}]}`)).ok()
	short = false
	s.post("identities.createIdentity", identityBody("x", 100<<10)).ok()
	s.post("identities.listIdentities", `{}`).ok()
	s.post("keys.verifyKeys", many).ok()
}

// slowReader takes nothing of an answer until it is told to.
type slowReader struct {
	*httptest.ResponseRecorder
	writing, goOn chan struct{}
}

func (w *slowReader) Write(p []byte) (int, error) {
	select {
	case w.writing <- struct{}{}:
	default:
	}
	<-w.goOn
	return w.ResponseRecorder.Write(p)
}

// holdAnswer makes a request whose answer is not taken before the returned function is called.
func (s *server) holdAnswer(endpoint, body string) (finish func() int) {
	w := &slowReader{httptest.NewRecorder(), make(chan struct{}, 1), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.handler.ServeHTTP(w, s.request(endpoint, body))
	}()
	<-w.writing
	return func() int {
		close(w.goOn)
		<-done
		return w.Code
	}
}

// The answers that nobody takes are bounded. Room for an answer to a command is looked for before it is executed. docs/contract.md 1.10 [D-41].
func TestAnswers_RoomIsShared(t *testing.T) {
	aloneOnly(t)
	const size = 200 << 10
	s := newServer(t, func(c *api.Config) { c.AnswerMemory = 1 << 20 })
	f := s.fixture()
	s.must("identities.createIdentity", identityBody("fat", size))
	k := s.newKey(f, `,"externalId":"fat"`)
	other := s.grant(fsm.AllPermissions()...)
	ask, verify := `{"identity":"fat"}`, k.in(`{"key":"SECRET"}`)

	first, second := s.holdAnswer("identities.getIdentity", ask), s.holdAnswer("identities.getIdentity", ask)
	s.post("identities.getIdentity", ask).fails(429, overloaded)
	s.post("identities.listIdentities", `{}`).fails(429, overloaded)
	other.post("identities.getIdentity", ask).ok()
	s.post("identities.getIdentity", `{"identity":"nobody"}`).fails(429, overloaded) // from experience, its answer is large
	s.post("keys.getKey", k.in(`{"keyId":"KEYID"}`)).fails(429, overloaded)
	s.post("apis.getApi", f.in(`{"apiId":"API"}`)).ok()

	// The first verdict is sent in any case. It teaches what to expect.
	s.post("keys.verifyKey", verify).ok()
	s.calls = nil
	s.post("keys.verifyKey", verify).fails(429, overloaded)
	require.Empty(t, s.calls, "not executed")

	require.Equal(t, 200, first())
	require.Equal(t, 200, second())
	require.Eventually(t, func() bool { return s.gauge("answer") == "0" }, time.Second, time.Millisecond)
	s.post("keys.verifyKey", verify).ok()
	s.post("identities.listIdentities", `{}`).ok()
}

// An answer that is larger than anybody's share gets through while there is room.
func TestAnswers_TheLargestGetsThrough(t *testing.T) {
	aloneOnly(t)
	s := newServer(t, func(c *api.Config) { c.AnswerMemory, c.BodyMemory = 1<<20, 1<<20 })
	s.must("identities.createIdentity", identityBody("fat", 1<<20-100))
	s.must("identities.getIdentity", `{"identity":"fat"}`)
	s.must("identities.listIdentities", `{}`)
}
