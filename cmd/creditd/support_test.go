package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
)

// desk is a node with what support work needs, and an environment to call it.
type desk struct {
	t   testing.TB
	env map[string]string
	c   *client.Client
	api string
}

func newDesk(t testing.TB) *desk {
	t.Helper()
	_, printed := startDev(t)
	address := regexp.MustCompile(`node      (http://\S+)`).FindStringSubmatch(printed)[1]
	rootKey := regexp.MustCompile(`root key  (\S+)`).FindStringSubmatch(printed)[1]
	d := &desk{t: t, env: map[string]string{"CREDITD_ADDR": address, "CREDITD_ROOT_KEY": rootKey}, c: client.New(client.Config{Node: address, RootKey: rootKey, Timeout: patience})}
	t.Cleanup(d.c.Close)
	d.api = must[object](t, d.c, "apis.createApi", object{"name": "payments"})["apiId"].(string)
	return d
}

// key makes a key of an API.
func (d *desk) key(more object) (id, key string) {
	d.t.Helper()
	request := object{"apiId": d.api}
	for field, value := range more {
		request[field] = value
	}
	made := must[object](d.t, d.c, "keys.createKey", request)
	return made["keyId"].(string), made["key"].(string)
}

// typed runs a command with something on stdin.
func typed(env map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	in := here(env, args...)
	in.stdin = strings.NewReader(stdin)
	code = run(in)
	return code, in.stdout.(*bytes.Buffer).String(), in.stderr.(*bytes.Buffer).String()
}

func (d *desk) does(stdin string, args ...string) string {
	d.t.Helper()
	code, stdout, stderr := typed(d.env, stdin, args...)
	require.Equal(d.t, exitDone, code, "%v: %s", args, stderr)
	return stdout
}

func asJSON[T any](t testing.TB, text string) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

func TestSupport_ShowsAndChanges(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	must[object](t, d.c, "identities.createIdentity", object{"externalId": "alice", "credits": object{"remaining": 50}})
	keyID, key := d.key(object{"name": "bell\aand\ttab", "externalId": "alice", "credits": object{"remaining": 10, "refill": object{"interval": "daily", "amount": 5}}})

	shown := d.does("", "key", "get", keyID)
	require.Contains(t, shown, "credits                 10, daily up to 5\n")
	require.Contains(t, shown, `"bell\aand\ttab"`, "names come from tenants, and must not command a terminal")
	require.Equal(t, shown, d.does(" "+key+"\n", "key", "get"))
	require.NotContains(t, shown, key)
	require.JSONEq(t, string(must[json.RawMessage](t, d.c, "keys.getKey", object{"keyId": keyID})), d.does("", "key", "get", keyID, "-o", "json"))

	require.Regexp(t, `API +NAME\n`+d.api+` +payments\n`, d.does("", "api", "list", "-o", "table"))
	require.Regexp(t, `alice +50 +identity +0`, d.does("", "identity", "list", "--search", "LIC"))
	require.Contains(t, d.does("", "identity", "get", "alice"), "external id    alice\n")

	require.Equal(t, "credits  7, daily up to 5\n", d.does("", "key", "credits", keyID, "set", "7"))
	require.Equal(t, "credits  9, daily up to 5\n", d.does("", "key", "credits", keyID, "increment", "2"))
	require.JSONEq(t, `{"remaining":47}`, d.does("", "identity", "credits", "alice", "decrement", "3", "-o", "json"))
	require.Equal(t, "credits  unlimited\n", d.does("", "key", "credits", keyID, "set", "unlimited"))

	require.Contains(t, d.does(key, "key", "verify", "--cost", "40", "--dry-run"), "remaining  7\n")
	require.EqualValues(t, 47, balance(t, d.c, "alice"))
	require.Contains(t, d.does(key, "key", "verify", "--cost", "40"), "remaining  7\n")
	require.EqualValues(t, 7, balance(t, d.c, "alice"))
	code, stdout, stderr := typed(d.env, key, "key", "verify", "--cost", "40", "--json")
	require.Equal(t, exitNo, code)
	require.Equal(t, "USAGE_EXCEEDED", asJSON[object](t, stdout)["code"])
	require.Contains(t, stderr, "not valid: USAGE_EXCEEDED")

	log := d.does("", "audit", "list", "--event", "key.credits.update", "--resource", keyID, "--from", "1h")
	require.Equal(t, 4, strings.Count(log, "\n"), log)
	require.Contains(t, log, keyID+": 9 → unlimited")
	require.Equal(t, "[]\n", d.does("", "audit", "list", "--to", "2020-01-01T00:00:00Z", "-o", "json"))

	for _, wrong := range []struct {
		says string
		code int
		args []string
	}{
		{"keys.getKey: 404 Not Found", exitFailed, []string{"key", "get", "key_none"}},
		{"stdin holds no key", exitFailed, []string{"key", "get"}},
		{"400 Bad Request", exitFailed, []string{"key", "credits", keyID, "increment", "1"}},
		{`the operation is "add"`, exitUsage, []string{"key", "credits", keyID, "add", "1"}},
		{`the number of credits is "1.5"`, exitUsage, []string{"key", "credits", keyID, "set", "1.5"}},
		{"the argument N is missing", exitUsage, []string{"key", "credits", keyID, "set"}},
		{`--from: "yesterday"`, exitUsage, []string{"audit", "list", "--from", "yesterday"}},
	} {
		code, _, stderr := typed(d.env, "", wrong.args...)
		require.Equal(t, wrong.code, code, wrong.args)
		require.Contains(t, stderr, wrong.says)
	}
}

// Pages are followed, --limit ends them, and JSON is one array.
func TestSupport_ListsFollowPages(t *testing.T) {
	t.Parallel()
	var asked []string
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, string(body))
		var request struct {
			Limit  int
			Cursor string
		}
		_ = json.Unmarshal(body, &request)
		from := 0
		_, _ = fmt.Sscanf(request.Cursor, "api_%d", &from)
		var items []string
		for i := from; i < min(from+min(request.Limit, 2), 5); i++ {
			items = append(items, fmt.Sprintf(`{"id":"api_%d","name":"n"}`, i))
		}
		pagination := `{"hasMore":false}`
		if next := from + len(items); next < 5 {
			pagination = fmt.Sprintf(`{"hasMore":true,"cursor":"api_%d"}`, next)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"meta":{"requestId":"r"},"data":[%s],"pagination":%s}`, strings.Join(items, ","), pagination)
	}))
	defer node.Close()
	env := map[string]string{"CREDITD_ROOT_KEY": "root_test", "CREDITD_ADDR": node.URL}
	for limit, want := range map[string]int{"0": 5, "1": 1, "3": 3, "5": 5, "100": 5} {
		code, stdout, stderr := typed(env, "", "api", "list", "--limit", limit, "-o", "json")
		require.Equal(t, exitDone, code, stderr)
		require.Len(t, asJSON[[]object](t, stdout), want, limit)
		require.Equal(t, want < 5, strings.Contains(stderr, "There are more"), limit)
		_, stdout, _ = typed(env, "", "api", "list", "--limit", limit)
		require.Equal(t, want+1, strings.Count(stdout, "\n"), stdout)
		require.Equal(t, 1, strings.Count(stdout, "NAME"))
	}
	require.Contains(t, asked, `{"limit":100}`)
}

// A request without an answer is sent again under its name, and the operator learns the name if there is none at all.
func TestSupport_CreditsAreChangedOnce(t *testing.T) {
	t.Parallel()
	var names []string
	var failures atomic.Int64
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names = append(names, r.Header.Get("Idempotency-Key"))
		if failures.Add(-1) >= 0 {
			panic(http.ErrAbortHandler) // perhaps executed
		}
		_, _ = io.WriteString(w, `{"meta":{"requestId":"r"},"data":{"remaining":3}}`)
	}))
	defer node.Close()
	env := map[string]string{"CREDITD_ROOT_KEY": "root_test", "CREDITD_ADDR": node.URL}
	failures.Store(2)
	code, stdout, stderr := typed(env, "", "key", "credits", "key_1", "increment", "1")
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, "credits  3\n", stdout)
	require.Len(t, names, 3)
	require.Regexp(t, `^creditd-[0-9a-f]{32}$`, names[0])
	require.Equal(t, []string{names[0], names[0], names[0]}, names)

	failures.Store(1 << 30)
	code, _, stderr = typed(env, "", "key", "credits", "key_1", "increment", "1")
	require.Equal(t, exitFailed, code)
	require.NotEqual(t, names[0], names[3], "another request has another name")
	require.Contains(t, stderr, "--idempotency-key "+names[3])
	failures.Store(0)
	typed(env, "", "key", "credits", "key_1", "increment", "1", "--idempotency-key", names[3])
	require.Equal(t, names[3], names[len(names)-1])
}

// Once a try may have been executed, no later answer says that nothing happened. The flag that the error names exists.
func TestSupport_AnEarlierTryMayHaveBeenExecuted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"key", "credits", "key_1", "increment", "1"}, {"identity", "credits", "id_1", "set", "1"}, {"key", "verify"}} {
		for _, first := range []int{0, http.StatusBadGateway, http.StatusOK} {
			var names []string
			node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				names = append(names, r.Header.Get("Idempotency-Key"))
				switch {
				case len(names) > 1:
					w.WriteHeader(http.StatusServiceUnavailable)
					_, _ = io.WriteString(w, `{"meta":{"requestId":"r"},"error":{"title":"No","detail":"nothing was executed","type":"a/b"}}`)
				case first == 0:
					panic(http.ErrAbortHandler)
				default:
					w.WriteHeader(first)
					_, _ = io.WriteString(w, "<html>")
				}
			}))
			env := map[string]string{"CREDITD_ROOT_KEY": "root_test", "CREDITD_ADDR": node.URL}
			code, _, stderr := typed(env, "k", append(args, "--idempotency-key", "mine")...)
			node.Close()
			require.Equal(t, exitFailed, code)
			require.Equal(t, []string{"mine", "mine", "mine", "mine"}, names)
			require.Contains(t, stderr, "may have been executed. Repeat the command with --idempotency-key mine", "%v %d", args, first)
		}
	}
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	code, _, stderr := typed(map[string]string{"CREDITD_ROOT_KEY": "root_test", "CREDITD_ADDR": dead.URL}, "k", "key", "verify")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "is the node running")
	require.NotContains(t, stderr, "may have been executed")
}

func TestReadKey_TakesOneKey(t *testing.T) {
	for text, says := range map[string]string{
		"": "no key", " \n": "no key", "a\nb": "more than one key", strings.Repeat("x", 513): "more than one key",
	} {
		_, err := readKey(strings.NewReader(text))
		require.ErrorContains(t, err, says)
	}
	key, err := readKey(strings.NewReader("\t" + strings.Repeat("x", 512) + "\r\n"))
	require.NoError(t, err)
	require.Len(t, key, 512)
}

func TestParsePast(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	at, err := parsePast("2h", now)
	require.NoError(t, err)
	require.Equal(t, now.Add(-2*time.Hour), at)
	_, err = parsePast("-2h", now)
	require.Error(t, err)
}
