package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/records"
)

// A workspace moves to another cluster and back out, byte for byte; an interrupted import goes on.
func TestExportImport_RoundTrip(t *testing.T) {
	t.Parallel()
	keys := map[string]string{}
	serve := func() string {
		_, c := startMember(t, alone(t, t.TempDir())...)
		await(t, func() bool { return must[api.Status](t, c, "cluster.getStatus", object{}).LedgerVersion >= 4 })
		made := must[object](t, c, "rootKeys.createRootKey", object{"name": "move", "permissions": []string{"import.*.write", "export.*.read"}})
		keys[c.Node()] = made["key"].(string)
		return c.Node()
	}
	from, to := serve(), serve()
	dir := t.TempDir()
	run := func(want int, args ...string) (stdout, stderr string) {
		t.Helper()
		key := keys[to]
		if slices.Contains(args, from) {
			key = keys[from]
		}
		code, stdout, stderr := outputOf(map[string]string{"CREDITD_ROOT_KEY": key}, args...)
		require.Equal(t, want, code, stderr)
		return stdout, stderr
	}
	var lines strings.Builder
	lines.WriteString(`{"header":{"format":"creditd-records","version":1}}` + "\n")
	source := filepath.Join(dir, "source")
	record := func(text string) { lines.WriteString(text + "\n") }
	record(`{"api":{"id":"api_move","name":"n","createdAt":1}}`)
	record(`{"identity":{"id":"id_move","externalId":"é","createdAt":1,"credits":{"remaining":7}}}`)
	for i := range 1200 {
		record(fmt.Sprintf(`{"key":{"id":"key_move%04d","apiId":"api_move","hash":"%064x","identityId":"id_move","enabled":true,"createdAt":1,"credits":{"remaining":%d,"refill":{"interval":"daily","amount":5}}}}`, i, i+1, i))
	}
	require.NoError(t, os.WriteFile(source, []byte(lines.String()), 0o600))
	_, stderr := run(exitFailed, "import", source, "--addr", from)
	require.Contains(t, stderr, "incomplete", "a file without an end is not read at all")
	whole := sealed(t, lines.String())
	require.NoError(t, os.WriteFile(source, []byte(whole), 0o600))
	stdout, _ := run(0, "import", source, "--addr", from)
	require.Regexp(t, `created +1202`, stdout)

	moved, back := filepath.Join(dir, "moved"), filepath.Join(dir, "back")
	run(0, "export", "--addr", from, "--out", moved)
	first, err := os.ReadFile(moved)
	require.NoError(t, err)

	// The first attempt ends in the middle: the second batch does not arrive.
	requests := 0
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests > 1 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"meta":{"requestId":"req_0123456789abcdef"},"error":{"title":"Forbidden","detail":"d","status":403,"type":"t"}}`))
			return
		}
		request, err := http.NewRequest(http.MethodPost, to+r.URL.Path, r.Body)
		if err != nil {
			panic(err)
		}
		request.Header = r.Header.Clone()
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		defer func() { _ = answer.Body.Close() }()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer.StatusCode)
		_, _ = fmt.Fprint(w, readAll(answer.Body))
	}))
	defer cut.Close()
	_, stderr = run(exitFailed, "import", moved, "--addr", cut.URL)
	require.Contains(t, stderr, "start the command again to go on")
	stdout, _ = run(0, "import", moved, "--addr", to)
	require.Regexp(t, `created +702\nunchanged +500\n`, stdout)

	run(0, "export", "--addr", to, "--out", back)
	second, err := os.ReadFile(back)
	require.NoError(t, err)
	_, firstBody, _ := strings.Cut(string(first), "\n") // the headers name two workspaces
	_, secondBody, _ := strings.Cut(string(second), "\n")
	require.Equal(t, firstBody, secondBody)

	stdout, _ = run(0, "export", "--balances", "--addr", to)
	require.Contains(t, stdout, "identity,id_move,é,7,,,,\n")
	require.Equal(t, 1+1+1200, strings.Count(stdout, "\n"))

	// What differs is told with its line.
	other := sealed(t, strings.Replace(lines.String(), `"name":"n"`, `"name":"m"`, 1))
	require.NoError(t, os.WriteFile(source, []byte(other), 0o600))
	stdout, stderr = run(exitFailed, "import", source, "--addr", to)
	require.Contains(t, stderr, "line 2: api api_move: conflict (different)")
	require.Regexp(t, `unchanged +1201`, stdout)
	stdout, _ = run(0, "import", source, "--addr", to, "--on-conflict", "skip")
	require.Regexp(t, `skipped +1\n`, stdout)
	stdout, _ = run(0, "import", source, "--addr", to, "--on-conflict", "replace")
	require.Regexp(t, `replaced +1\n`, stdout)

	_, stderr = run(exitFailed, "import", source, "--addr", to, "--workspace", "ws_nobody1")
	require.Contains(t, stderr, "line 2: the root key may not write into the workspace ws_nobody1")
	require.Equal(t, 1, strings.Count(stderr, "\n"), "one line for all")

	stdout, _ = run(0, "import", source, "--addr", to, "--track")
	require.Regexp(t, `unchanged +1202`, stdout)
	stdout, _ = run(0, "migrate", "finish", "--addr", to)
	require.Regexp(t, `^ended +1202 balances`, stdout, "each was tracked")
}

// A node that goes silent in the middle of an export ends it.
func TestExport_EndsWhenTheNodeIsSilent(t *testing.T) {
	t.Parallel()
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Creditd-Log-Time", "1")
		_, _ = w.Write([]byte(`{"header":{"format":"creditd-records","version":1}}` + "\n"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer silent.Close()
	out := filepath.Join(t.TempDir(), "out")
	code, _, stderr := outputOf(map[string]string{"CREDITD_ROOT_KEY": "root_key"}, "export", "--addr", silent.URL, "--out", out, "--stall", "1s")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "the node sent nothing for 1s")
	require.NoFileExists(t, out)
	require.NoFileExists(t, out+".part")
}

// A node that is writing the snapshot is asked again for one as new as the first request: a newer one may never be ready.
func TestExport_AsksAgainForTheSameMoment(t *testing.T) {
	t.Parallel()
	var asked []string
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Creditd-Min-Index"))
		w.Header().Set("Creditd-Index", fmt.Sprint(40+len(asked)))
		status := http.StatusTooManyRequests
		if len(asked) == 3 {
			status = http.StatusForbidden
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"meta":{"requestId":"req_a"},"error":{"title":"no","detail":"no","status":1,"type":"no"}}`))
	}))
	defer busy.Close()
	env := map[string]string{"CREDITD_ROOT_KEY": "root_key"}
	for _, command := range [][]string{{"export"}, {"snapshot", "save", filepath.Join(t.TempDir(), "file")}} {
		asked = nil
		code, _, stderr := outputOf(env, append(command, "--addr", busy.URL)...)
		require.NotZero(t, code)
		require.Equal(t, []string{"", "41", "41"}, asked, "%v: %s", command, stderr)
	}
}

// sealed adds the end line.
func sealed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	r, err := records.NewReader(strings.NewReader(text))
	require.NoError(t, err)
	w, err := records.NewWriter(&b, r.Header.WorkspaceID)
	require.NoError(t, err)
	for {
		record, err := r.Next()
		if err != nil {
			require.ErrorIs(t, err, records.ErrIncomplete)
			break
		}
		require.NoError(t, w.Write(record))
	}
	_, err = w.End()
	require.NoError(t, err)
	return b.String()
}

func readAll(r io.Reader) string {
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}
