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
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "line 1: keys.previewVerification: 403")
	require.Contains(t, stderr, "api.*.verify_key_hash")

	code, stdout, stderr := typed(d.env, fmt.Sprintf(`{"key":%q,"valid":true,"permissions":"("}`, key), "shadow")
	require.Equal(t, exitNo, code, stderr)
	require.Contains(t, stdout, "400 permissions_query_syntax_error", "creditd would refuse what the other system admitted")

	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	d.env["CREDITD_ADDR"] = dead.URL
	code, _, stderr = typed(d.env, byHash, "shadow", "--patience", "1ms")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "nothing listens")
	exists := filepath.Join(t.TempDir(), "exists")
	require.NoError(t, os.WriteFile(exists, nil, 0o600))
	code, _, _ = typed(d.env, byHash, "shadow", "--report", exists)
	require.Equal(t, exitFailed, code, "a report is not overwritten")
	code, _, stderr = typed(d.env, "\n", "shadow")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "no record to compare")
	for _, args := range [][]string{{"--max-denied-wrongly", "some"}, {"--max-bad-lines", "-1"}} {
		code, _, _ = typed(d.env, "", append([]string{"shadow"}, args...)...)
		require.Equal(t, exitUsage, code, args)
	}
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
			"--copy", "verify", "--addr", to)
		return p, client.New(client.Config{Node: p.await(p.stderr, `msg=mirroring listen=(\S+)`)[1], RootKey: young.env["CREDITD_ROOT_KEY"], Timeout: patience})
	}
	p, through := forward(dead.URL)
	require.True(t, must[verdictShown](t, through, "keys.verifyKey", object{"key": key}).Valid)
	p.terminate()
	require.Contains(t, p.stderr.String(), "copied=0 copyFailed=1")
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
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"meta":{"requestId":"r"},"data":{"valid":true,"code":"VALID"}}`)
		asked <- struct{}{}
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
