package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

const recordsHeader = `{"header":{"format":"creditd-records","version":1,"workspaceId":"ws_1"}}` + "\n"

// exporting serves a text as an export of a log time. With cut the connection ends behind it.
func exporting(t *testing.T, text, logTime string, cut bool) (addr string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("Creditd-Log-Time", logTime)
		_, _ = fmt.Fprint(w, text)
		if cut {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func asAnyone(args ...string) (code int, stdout, stderr string) {
	return outputOf(map[string]string{"CREDITD_ROOT_KEY": "root"}, args...)
}

// Whoever gets half an export learns it, and no file of that name appears.
func TestExport_ThatIsCutFails(t *testing.T) {
	t.Parallel()
	half := recordsHeader + `{"api":{"id":"api_1","name":"n","createdAt":1}}` + "\n"
	for name, addr := range map[string]string{
		"connection ends":   exporting(t, half, "1", true),
		"no end line":       exporting(t, half, "1", false),
		"another end":       exporting(t, strings.Replace(sealed(t, half), "api_1", "api_2", 1), "1", false),
		"cut within a line": exporting(t, half[:len(half)-5], "1", true),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			code, _, stderr := asAnyone("export", "--addr", addr, "--out", filepath.Join(dir, "file"))
			require.Equal(t, exitFailed, code)
			require.Contains(t, stderr, "the export is not whole")
			left, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, left)
			for _, args := range [][]string{{"export"}, {"export", "--balances"}} {
				code, _, _ = asAnyone(append(args, "--addr", addr)...)
				require.Equal(t, exitFailed, code)
			}
		})
	}
}

// An export that has to rest is asked for again when the node says, unless that is beyond --wait.
func TestExport_WaitsForItsTurn(t *testing.T) {
	t.Parallel()
	for after, ends := range map[string]int{"1": 0, "3600": exitFailed} {
		t.Run(after, func(t *testing.T) {
			t.Parallel()
			whole, asked := sealed(t, recordsHeader), 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked == 1 {
					w.Header().Set("Retry-After", after)
					w.Header().Set("Content-Type", "application/problem+json")
					w.WriteHeader(http.StatusTooManyRequests)
					_, _ = fmt.Fprint(w, `{"meta":{"requestId":"req_0123456789abcdef"},"error":{"title":"Too Many Requests","detail":"rest","status":429,"type":"t"}}`)
					return
				}
				w.Header().Set("Creditd-Log-Time", "1")
				_, _ = fmt.Fprint(w, whole)
			}))
			t.Cleanup(server.Close)
			code, stdout, stderr := asAnyone("export", "--addr", server.URL, "--wait", "2s")
			require.Equal(t, ends, code, stderr)
			if ends == 0 {
				require.Equal(t, whole, stdout)
				require.Contains(t, stderr, "waiting 1s: rest")
				return
			}
			require.Contains(t, stderr, "1h0m0s, beyond --wait")
			require.Equal(t, 1, asked)
		})
	}
}

// A table of balances shows what keys.getKey showed at that moment, not what was stored.
func TestExport_BalancesHaveRefillsThatAreDue(t *testing.T) {
	t.Parallel()
	const day = 86_400_000
	key := func(id string, credits string) string {
		return `{"key":{"id":"` + id + `","apiId":"api_1","hash":"` + strings.Repeat("A", 43) + `=","enabled":true,"createdAt":1,"credits":` + credits + "}}\n"
	}
	text := sealed(t, recordsHeader+
		key("key_daily", fmt.Sprintf(`{"remaining":3,"refill":{"interval":"daily","amount":50},"consideredAt":%d}`, 20_000*day))+
		key("key_full", fmt.Sprintf(`{"remaining":60,"refill":{"interval":"daily","amount":50},"refilledAt":%d,"consideredAt":%d}`, 19_990*day, 20_000*day))+
		key("key_monthly", fmt.Sprintf(`{"remaining":3,"refill":{"interval":"monthly","amount":50,"refillDay":5},"consideredAt":%d}`, 20_000*day))+ // 2024-10-04
		key("key_plain", `{"remaining":3}`)+
		key("key_today", fmt.Sprintf(`{"remaining":3,"refill":{"interval":"daily","amount":50},"refilledAt":%[1]d,"consideredAt":%[1]d}`, 20_001*day)))
	code, stdout, stderr := asAnyone("export", "--balances", "--addr", exporting(t, text, fmt.Sprint(20_001*day+1000), false))
	require.Zero(t, code, stderr)
	require.Equal(t, fmt.Sprintf(`workspace,owner,id,name,remaining,refillInterval,refillAmount,refillDay,refilledAt
ws_1,key,key_daily,,50,daily,50,,%[1]d
ws_1,key,key_full,,60,daily,50,,%[2]d
ws_1,key,key_monthly,,50,monthly,50,5,%[1]d
ws_1,key,key_plain,,3,,,,
ws_1,key,key_today,,3,daily,50,,%[1]d
`, 20_001*day, 19_990*day), stdout)
}

// A file that is not what it was when it was written is told line by line, before anything is sent.
func TestImport_ReadsTheFileFirst(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent <- readAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprint(w, `{"meta":{"requestId":"req_0123456789abcdef"},"data":{"outcomes":[{"index":0,"outcome":"created"}]}}`)
	}))
	t.Cleanup(server.Close)
	good := `{"api":{"id":"api_1","name":"n","createdAt":1}}` + "\n"
	whole := sealed(t, recordsHeader+good)
	file := filepath.Join(t.TempDir(), "file")
	run := func(want int, text string, args ...string) string {
		t.Helper()
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, _, stderr := asAnyone(append([]string{"import", file, "--addr", server.URL}, args...)...)
		require.Equal(t, want, code, stderr)
		return stderr
	}
	bad := recordsHeader + `{"api":{"id":"api_0","name":"","createdAt":1}}` + "\n" + good + `{"what":{}}` + "\n"
	broken := run(exitFailed, strings.Replace(whole, good, good+"{{\n\n", 1))
	require.Contains(t, broken, "line 3: not JSON: expected a property name")
	require.Contains(t, broken, "line 4: the line is empty")
	require.Contains(t, broken, "2 lines break the format, and line 5: the file is damaged or was changed")
	require.NotContains(t, broken, "--incomplete", "it reads no such lines")
	for _, args := range [][]string{nil, {"--incomplete"}} {
		stderr := run(exitFailed, bad, args...)
		require.Contains(t, stderr, "line 2: api.name")
		require.Contains(t, stderr, "line 4: ")
		require.Contains(t, stderr, "nothing was sent")
	}
	many := run(exitFailed, recordsHeader+strings.Repeat("{}\n", 1000))
	require.Equal(t, maxBadLines, strings.Count(many, "line "))
	damaged := map[string]string{
		recordsHeader + good:                                    "incomplete",
		recordsHeader + good + "{":                              "incomplete",
		strings.Replace(whole, `"name":"n"`, `"name":"m"`, 1):   "damaged or was changed",
		strings.Replace(whole, `"records":1`, `"records":2`, 1): "damaged or was changed",
		whole + good: "damaged or was changed",
	}
	for text, why := range map[string]string{
		"":                                      file + ": line 1: the file is incomplete: it has no end line: it is empty",
		"\x1f\x8b\x08\x00":                      file + ": line 1: the file is compressed by gzip: unpack it first",
		"\xef\xbb\xbf" + whole:                  file + ": line 1: the file begins with a byte order mark",
		"\xff\xfe{\x00":                         file + ": line 1: the file is in UTF-16",
		strings.ReplaceAll(whole, "\n", "\r\n"): file + ": line 1: the line ends with CR LF and must end with LF",
		`{"key":"secret","valid":true}` + "\n":  file + ": line 1: no header of format creditd-records",
	} {
		for _, args := range [][]string{nil, {"--incomplete"}} {
			require.Contains(t, run(exitFailed, text, args...), why)
		}
	}
	for _, name := range []string{os.DevNull, filepath.Dir(file)} {
		code, _, stderr := asAnyone("import", name, "--addr", server.URL)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, name+" is no regular file, and it is read twice")
	}
	for text, why := range damaged {
		stderr := run(exitFailed, text)
		require.Contains(t, stderr, why)
		require.Contains(t, stderr, "nothing was sent")
	}
	require.Empty(t, sent)
	for text := range damaged {
		require.Contains(t, run(exitDone, text, "--incomplete"), "what there is of it is read")
		require.Contains(t, <-sent, "api_1")
	}
	require.Empty(t, sent)
}

// An import that is killed goes on where it was, whatever became of its last request.
func TestImport_KilledGoesOn(t *testing.T) {
	t.Parallel()
	_, c := startMember(t, alone(t, t.TempDir())...)
	await(t, func() bool { return must[api.Status](t, c, "cluster.getStatus", object{}).LedgerVersion >= 4 })
	made := must[object](t, c, "rootKeys.createRootKey", object{"name": "move", "permissions": []string{"import.*.write", "api.*.read_api", "api.*.read_key"}})
	rootKey := made["key"].(string)
	const keys = 3000
	var lines strings.Builder
	lines.WriteString(recordsHeader + `{"api":{"id":"api_move","name":"n","createdAt":1}}` + "\n")
	for i := range keys {
		fmt.Fprintf(&lines, `{"key":{"id":"key_%05d","apiId":"api_move","hash":"%064x","enabled":true,"createdAt":1,"credits":{"remaining":5}}}`+"\n", i, i+1)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(sealed(t, lines.String())), 0o600))
	env := []string{"CREDITD_ROOT_KEY=" + rootKey, "CREDITD_ADDR=" + c.Node()}
	first := start(t, env, "import", file)
	await(t, func() bool {
		var found []object
		return c.Call(t.Context(), "apis.listKeys", object{"apiId": "api_move", "limit": 1}, &found).Err == nil && len(found) > 0
	})
	first.Kill()
	code, stdout, stderr := outputOf(map[string]string{"CREDITD_ROOT_KEY": rootKey}, "import", file, "--addr", c.Node())
	require.Zero(t, code, stderr)
	var created, unchanged int
	_, err := fmt.Sscanf(stdout, "created %d\nunchanged %d\n", &created, &unchanged)
	require.NoError(t, err, stdout)
	require.Equal(t, keys+1, created+unchanged, stdout)
	require.NotZero(t, unchanged, "the first import had begun")
}

func TestImport_HelpShowsItsTimeout(t *testing.T) {
	t.Parallel()
	_, stdout, _ := outputOf(nil, "import", "--help")
	require.Contains(t, stdout, "[CREDITD_TIMEOUT] (default 1m)")
}
