package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/cmd/creditd/internal/shadow"
	"github.com/creditd/creditd/scripts/launch"
)

// withHashes is the environment of a root key that may name keys by their hashes.
func (d *desk) withHashes() map[string]string {
	d.t.Helper()
	made := must[object](d.t, d.c, "rootKeys.createRootKey", object{"name": "shadow", "permissions": []string{"api.*.verify_key", "api.*.verify_key_hash"}})
	return map[string]string{"CREDITD_ADDR": d.env["CREDITD_ADDR"], "CREDITD_ROOT_KEY": made["key"].(string)}
}

// takeOver migrates a key by its hash, as a team does before it switches.
func (d *desk) takeOver(key string, credits int64) (id string) {
	d.t.Helper()
	must[object](d.t, d.c, "migrations.createMigration", object{"migrationId": "old", "algorithm": "sha256"})
	got := must[struct{ Migrated []struct{ KeyID string } }](d.t, d.c, "keys.migrateKeys", object{
		"migrationId": "old", "apiId": d.api, "keys": []object{{"hash": shadow.HashOf(key), "credits": object{"remaining": credits}}},
	})
	require.Len(d.t, got.Migrated, 1)
	return got.Migrated[0].KeyID
}

// A team's way: live traffic goes through the mirror to the old system, and the recording is compared with the new one.
func TestMirrorAndShadow(t *testing.T) {
	t.Parallel()
	old, young := newDesk(t), newDesk(t)
	_, key := old.key(object{"credits": object{"remaining": 5}})
	keyID := young.takeOver(key, 5)
	recording := filepath.Join(t.TempDir(), "recording.ndjson")
	p := start(t, []string{"CREDITD_ROOT_KEY=" + young.env["CREDITD_ROOT_KEY"]}, "mirror", "--listen", "127.0.0.1:0", "--primary", old.env["CREDITD_ADDR"],
		"--record", recording, "--copy", "preview", "--addr", young.env["CREDITD_ADDR"])
	through := client.New(client.Config{Node: p.await(p.stderr, `msg=mirroring listen=(\S+)`)[1], RootKey: old.env["CREDITD_ROOT_KEY"], Timeout: patience})
	defer through.Close()
	for i := range 7 {
		v := must[verdictShown](t, through, "keys.verifyKey", object{"key": key})
		require.Equal(t, i < 5, v.Valid)
	}
	must[object](t, through, "apis.createApi", object{"name": "other requests"})
	p.terminate()
	require.Contains(t, p.stderr.String(), "forwarded=8 failed=0 verifications=7 recorded=7 unreadable=0 dropped=0 copied=7 copyFailed=0")
	text, err := os.ReadFile(recording)
	require.NoError(t, err)
	require.Equal(t, 7, strings.Count(string(text), "\n"))
	require.NotContains(t, string(text), key)

	env := young.withHashes()
	code, stdout, stderr := typed(env, "", "shadow", recording, "-o", "json")
	require.Equal(t, exitDone, code, stderr)
	require.Equal(t, shadow.Summary{Records: 7, Agreed: 7, Codes: map[string]int64{}, Samples: []*shadow.Difference{}}, asJSON[shadow.Summary](t, stdout))
	require.Contains(t, young.does("", "key", "get", keyID), "credits      5\n", "nothing was debited")

	young.does("", "key", "credits", keyID, "set", "3")
	report := filepath.Join(t.TempDir(), "report.ndjson")
	code, stdout, stderr = typed(env, string(text), "shadow", "--report", report)
	require.Equal(t, exitNo, code)
	require.Contains(t, stderr, "2 denied wrongly, at most 0 allowed")
	require.Regexp(t, `denied wrongly +2\n`, stdout)
	require.Regexp(t, `VALID +USAGE_EXCEEDED +2\n`, stdout)
	require.Regexp(t, `4 +denied_wrongly +`+keyID+` +1 +VALID +1 +USAGE_EXCEEDED +0\n`, stdout)
	lines, err := os.ReadFile(report)
	require.NoError(t, err)
	require.Equal(t, 5, strings.Count(string(lines), "\n"), "three other balances and two denials: %s", lines)
	code, _, stderr = typed(env, string(text)+"nonsense\n", "shadow", "--max-denied-wrongly", "2", "--max-bad-lines", "1", "--max-admitted-wrongly", "0")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stderr, "line 8: ")
}

// A comparison that could not be made must not look like one that found nothing.
func TestShadow_FailsLoudly(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, key := d.key(nil)
	byHash := fmt.Sprintf(`{"keyHash":%q,"valid":true}`, shadow.HashOf(key))
	code, _, stderr := typed(d.env, byHash, "shadow")
	require.Equal(t, exitLacks, code)
	require.Contains(t, stderr, "line 1: keys.previewVerification: 403")
	require.Contains(t, stderr, "api.*.verify_key_hash")

	code, stdout, stderr := typed(d.env, fmt.Sprintf(`{"key":%q,"valid":true,"permissions":"("}`, key), "shadow")
	require.Equal(t, exitNo, code, stderr)
	require.Contains(t, stdout, "400 permissions_query_syntax_error", "creditd would refuse what the other system admitted")

	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	gone := map[string]string{"CREDITD_ADDR": dead.URL, "CREDITD_ROOT_KEY": d.env["CREDITD_ROOT_KEY"]}
	code, _, stderr = typed(gone, byHash, "shadow", "--patience", "1ms")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "nothing listens")
	exists := filepath.Join(t.TempDir(), "exists")
	require.NoError(t, os.WriteFile(exists, nil, 0o600))
	code, _, stderr = typed(d.env, byHash, "shadow", "--report", exists)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "file exists", "a report is not overwritten")
	code, _, stderr = typed(d.env, "\n", "shadow")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "no record to compare")
	for _, args := range [][]string{{"--max-denied-wrongly", "some"}, {"--max-bad-lines", "-1"}} {
		code, _, _ = typed(d.env, "", append([]string{"shadow"}, args...)...)
		require.Equal(t, exitUsage, code, args)
	}
}

// To a root key that may not verify or read keys, creditd answers as if there were none. That is no answer about a key.
func TestLackingPermission(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, key := d.key(nil)
	with := func(permissions ...string) map[string]string {
		made := must[object](t, d.c, "rootKeys.createRootKey", object{"name": "some", "permissions": permissions})
		return map[string]string{"CREDITD_ADDR": d.env["CREDITD_ADDR"], "CREDITD_ROOT_KEY": made["key"].(string)}
	}
	record := fmt.Sprintf(`{"key":%q,"valid":true}`, key)
	report := filepath.Join(t.TempDir(), "report")
	none := with("api.*.verify_key_hash", "api.*.read_api")
	for _, args := range [][]string{
		{"shadow", "--report", report}, {"key", "verify"}, {"key", "verify", "--dry-run"},
		{"mirror", "--primary", d.env["CREDITD_ADDR"], "--copy", "preview", "--addr", d.env["CREDITD_ADDR"], "--listen", "127.0.0.1:0"},
	} {
		stdin := record
		if args[0] == "key" {
			stdin = key
		}
		code, stdout, stderr := typed(none, stdin, args...)
		require.Equal(t, exitLacks, code, "%s: %s%s", args, stdout, stderr)
		require.Regexp(t, `the root key key_\w+ lacks api\.\*\.verify_key: to it creditd answers as if no key existed`, stderr)
		require.NotContains(t, stdout, "denied wrongly")
	}
	require.NoFileExists(t, report)
	for _, args := range [][]string{{"key", "get"}, {"key", "list", d.api}} {
		code, _, stderr := typed(none, key, args...)
		require.Equal(t, exitLacks, code, stderr)
		require.Contains(t, stderr, "lacks api.*.read_key")
	}
	some := with("api.api_other123.verify_key")
	code, _, stderr := typed(some, record, "shadow")
	require.Equal(t, exitNo, code)
	require.Contains(t, stderr, "sees the keys of some APIs only (api.api_other123.verify_key)")
	code, _, _ = typed(d.env, "unknown_key", "key", "verify")
	require.Equal(t, exitNo, code, "the root key is not the reason")
	code, _, stderr = typed(d.env, "", "key", "list", "api_unknown")
	require.Equal(t, exitFailed, code, stderr)
}

// What another program has made of a file is said, with the name of the file.
func TestShadow_ForeignFiles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	_, key := d.key(nil)
	line := fmt.Sprintf(`{"key":%q,"valid":true}`, key)
	dir := t.TempDir()
	for name, test := range map[string]struct {
		text string
		code int
		says string
	}{
		"mark":      {"\xef\xbb\xbf" + line + "\r\n" + line + "\r\n", exitDone, ""},
		"gzip":      {"\x1f\x8b\x08\x00", exitFailed, "line 1: the file is compressed by gzip: unpack it first"},
		"utf16":     {"\xff\xfe{\x00", exitFailed, "the file is in UTF-16"},
		"truncated": {line + "\n" + line[:20], exitNo, "line 2: unexpected end of JSON input"},
		"empty":     {"", exitFailed, "there was no record to compare"},
		"another":   {`{"header":{}}` + "\n", exitNo, "line 1: exactly one of key and keyHash must be given"},
	} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(test.text), 0o600))
		code, _, stderr := typed(d.env, "", "shadow", file)
		require.Equal(t, test.code, code, "%s: %s", name, stderr)
		require.Contains(t, stderr, test.says)
		if code != exitDone && name != "empty" {
			require.Contains(t, stderr, file+": line ")
		}
	}
	code, _, stderr := typed(d.env, "", "shadow", dir)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, dir+" is a directory")
}

// The new system may be gone: the old one's answers stay as they are. After the switch, copies debit the old system.
func TestMirror_TheSecondSystemMayBeGone(t *testing.T) {
	t.Parallel()
	old, young := newDesk(t), newDesk(t)
	_, key := young.key(object{"credits": object{"remaining": 2}})
	keyID := old.takeOver(key, 10)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	forward := func(to string) (*process, *client.Client) {
		p := start(t, []string{"CREDITD_ROOT_KEY=" + old.env["CREDITD_ROOT_KEY"]}, "mirror", "--listen", "127.0.0.1:0", "--primary", young.env["CREDITD_ADDR"],
			"--copy", "verify", "--addr", to, "--timeout", "2s")
		return p, client.New(client.Config{Node: p.await(p.stderr, `msg=mirroring listen=(\S+)`)[1], RootKey: young.env["CREDITD_ROOT_KEY"], Timeout: patience})
	}
	p, through := forward(dead.URL)
	require.True(t, must[verdictShown](t, through, "keys.verifyKey", object{"key": key}).Valid)
	p.terminate()
	require.Contains(t, p.stderr.String(), "copied=0 copyFailed=1 copyUnknown=0")
	require.Contains(t, p.stderr.String(), "a copy has no answer")
	through.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer silent.Close()
	p, through = forward(silent.URL)
	require.True(t, must[verdictShown](t, through, "keys.verifyKey", object{"key": key, "credits": object{"cost": 0}}).Valid)
	p.terminate()
	require.Contains(t, p.stderr.String(), "copied=0 copyFailed=0 copyUnknown=1", "it may have been executed")
	through.Close()

	p, through = forward(old.env["CREDITD_ADDR"])
	defer through.Close()
	for i := range 3 {
		require.Equal(t, i < 1, must[verdictShown](t, through, "keys.verifyKey", object{"key": key}).Valid)
	}
	p.terminate()
	require.Contains(t, p.stderr.String(), "verifications=3 recorded=0 unreadable=0 dropped=0 copied=1")
	require.Contains(t, old.does("", "key", "get", keyID), "credits      9\n", "what was denied is not debited there")
}

func TestMirror_Settings(t *testing.T) {
	for _, test := range []struct {
		says string
		args []string
	}{
		{"--primary: missing", []string{"--record", "x"}},
		{`--primary: "ftp://a": not an http or https URL`, []string{"--primary", "ftp://a", "--record", "x"}},
		{"--primary: \"http://u:xxxxx@a\": a user", []string{"--primary", "http://u:secret@a", "--record", "x"}},
		{"--record: missing; without --copy", []string{"--primary", "http://a"}},
		{"root-key", []string{"--primary", "http://a", "--copy", "preview"}},
		{"a:80: is the primary or the mirror itself", []string{"--primary", "http://a", "--copy", "verify", "--addr", "b,a:80", "--root-key", testRootKey}},
		{"127.0.0.1:7080: is the primary or the mirror itself", []string{"--primary", "http://a", "--copy", "verify", "--addr", "127.0.0.1:7080", "--root-key", testRootKey}},
	} {
		code, _, stderr := outputOf(nil, append([]string{"mirror"}, test.args...)...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, stderr, test.says)
	}
}

// A gate over a file must not pass because somebody stopped it.
func TestShadow_AnInterruptedFileIsAFailure(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"meta":{"requestId":"r"},"data":{"valid":true,"code":"VALID","permissions":["api.*.verify_key"]}}`)
		if strings.HasSuffix(r.URL.Path, "previewVerification") {
			asked <- struct{}{}
		}
	}))
	defer node.Close()
	pipe := filepath.Join(t.TempDir(), "recording")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	writer, err := os.OpenFile(pipe, os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { _ = writer.Close() }()
	_, err = io.WriteString(writer, `{"key":"k","valid":true}`+"\n")
	require.NoError(t, err)
	p := start(t, []string{"CREDITD_ROOT_KEY=root_test"}, "shadow", pipe, "--addr", node.URL)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("creditd asked nothing")
	}
	p.signal(syscall.SIGTERM)
	require.Equal(t, exitFailed, p.wait())
	require.Contains(t, p.stderr.String(), "interrupted")
}

// `creditd mirror --record - | creditd shadow`: when the comparison ends, clients notice nothing.
func TestMirror_OutlivesTheReaderOfItsRecording(t *testing.T) {
	t.Parallel()
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"meta":{"requestId":"r"},"data":{"valid":true,"code":"VALID"}}`)
	}))
	defer old.Close()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	p := &process{t: t, stdout: &transcript{}, stderr: &transcript{}}
	p.Process, err = launch.Start(launch.Command{
		Binary: binary, Args: []string{"mirror", "--listen", "127.0.0.1:0", "--primary", old.URL, "--record", "-"}, Stdout: writer, Stderr: p.stderr,
	})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	require.NoError(t, errors.Join(reader.Close(), writer.Close()))
	through := client.New(client.Config{Node: p.await(p.stderr, `msg=mirroring listen=(\S+)`)[1], RootKey: "root_test", Timeout: patience})
	defer through.Close()
	require.True(t, must[verdictShown](t, through, "keys.verifyKey", object{"key": "k"}).Valid)
	p.await(p.stderr, "the recording cannot be written")
	require.True(t, must[verdictShown](t, through, "keys.verifyKey", object{"key": "k"}).Valid)
	p.terminate()
}
