package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/unkeydb"
)

// --verify waits while every node makes another export, as long as --wait, and takes the node that may make one first.
func TestMigrateUnkey_WaitsForTheExport(t *testing.T) {
	var asked atomic.Int64
	refuse := func(w http.ResponseWriter, after string) {
		w.Header().Set("Retry-After", after)
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"meta":{"requestId":"r"},"error":{"title":"Too Many Requests","detail":"the exports rest","status":429,"type":"t"}}`)
	}
	soon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) == 1 {
			refuse(w, "1")
			return
		}
		_, _ = io.WriteString(w, "the export")
	}))
	defer soon.Close()
	late := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, "3600") }))
	defer late.Close()
	var stderr bytes.Buffer
	in := invocation{stderr: &stderr}
	m := &migrateUnkey{wait: 2 * time.Second}
	for _, server := range []*httptest.Server{late, soon} {
		m.nodes = append(m.nodes, client.New(client.Config{Node: server.URL, RootKey: testRootKey, Timeout: patience}))
	}
	file, err := m.export(t.Context(), in)
	require.NoError(t, err)
	text, err := io.ReadAll(file)
	require.NoError(t, errors.Join(err, file.Close()))
	require.Equal(t, "the export", string(text))
	require.Equal(t, "waiting 1s: the exports rest\n", stderr.String())

	m.nodes = m.nodes[:1]
	_, err = m.export(t.Context(), in)
	require.ErrorContains(t, err, "the next attempt may begin in 1h0m0s, beyond --wait")

	stopped, stop := context.WithCancel(t.Context())
	m.wait = 2 * time.Hour
	time.AfterFunc(0, stop)
	_, err = m.export(stopped, in)
	require.ErrorIs(t, err, context.Canceled)
}

// What cannot work is refused before anything is read or written, and no message shows the password of the database.
func TestMigrateUnkey_Refuses(t *testing.T) {
	const dsn = "user:the-password@tcp(127.0.0.1:1)/unkey"
	env := map[string]string{"CREDITD_ROOT_KEY": "root_test", "CREDITD_DSN": dsn}
	for _, test := range []struct {
		env  map[string]string
		args []string
		says string
	}{
		{nil, []string{"--dry-run"}, "dsn: missing; name the database with CREDITD_DSN, --dsn-file or --dsn"},
		{map[string]string{"CREDITD_DSN": "the-password"}, []string{"--dry-run"}, "not a data source name like user:password@tcp(db.example:3306)/unkey"},
		{map[string]string{"CREDITD_DSN": "user:the-password@tcp(127.0.0.1:1)/"}, []string{"--dry-run"}, "it names no database"},
		{map[string]string{"CREDITD_DSN": dsn}, nil, "root-key: missing"},
		{env, []string{"--dry-run", "--verify"}, "--dry-run reads only the database"},
		{env, []string{"--since", "last"}, "last means the last pass of --state"},
		{env, []string{"--since", "soon"}, "neither a time like 2030-01-31T00:00:00Z"},
		{env, []string{"--since", "2999-01-01T00:00:00Z"}, "not over yet"},
		{env, []string{"--since", "1h", "--verify"}, "--verify compares everything"},
		{env, []string{"--since", "1h", "--begin-anew"}, "a complete pass that replaces"},
		{env, []string{"--on-conflict", "skip", "--begin-anew"}, "a complete pass that replaces"},
		{env, []string{"--on-conflict", "guess"}, "one of fail, skip, replace"},
		{env, []string{"--balances-from", "http://127.0.0.1:1"}, "the old API wants one"},
	} {
		code, stdout, stderr := outputOf(test.env, append([]string{"migrate", "unkey"}, test.args...)...)
		require.Equal(t, exitUsage, code, test.args)
		require.Empty(t, stdout)
		require.Contains(t, stderr, test.says)
		require.NotContains(t, stderr, "the-password")
	}

	// A file keeps the password out of the process list. Nothing listens there.
	file := filepath.Join(t.TempDir(), "dsn")
	require.NoError(t, os.WriteFile(file, []byte(dsn+"\n"), 0o600))
	code, _, stderr := outputOf(nil, "migrate", "unkey", "--dry-run", "--dsn-file", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "read the database unkey at 127.0.0.1:1")
	require.NotContains(t, stderr, "the-password")
	_, _, stderr = outputOf(nil, "migrate", "unkey", "--dry-run", "--dsn", dsn)
	require.Contains(t, stderr, "every user of this machine can see it in the process list; use CREDITD_DSN instead")
}

// A deletion whose answer is lost is sent again. By then an identity whose externalId is the id would be found.
func TestMigrateUnkey_ALostAnswerDeletesNothingElse(t *testing.T) {
	if err := unkeydb.Installed(); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	t.Parallel()
	server, err := unkeydb.Start(t.Context(), t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	set, err := server.Fill(t.Context(), "lost", unkeydb.Options{Keys: 1000, Identities: 200, Now: time.Now()})
	require.NoError(t, err)
	defer func() { require.NoError(t, set.DB.Close()) }()

	d := newDesk(t)
	node, err := url.Parse(d.env["CREDITD_ADDR"])
	require.NoError(t, err)
	forward, lost := httputil.NewSingleHostReverseProxy(node), atomic.Int64{}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "identities.deleteIdentity") && lost.Add(1) == 1 {
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		forward.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	made := must[object](t, d.c, "rootKeys.createRootKey", object{"name": "migration", "permissions": []string{
		"import.*.write", "identity.*.delete_identity", "api.*.read_api", "api.*.read_key", "ratelimit.*.read_override",
	}})
	env := map[string]string{
		"CREDITD_DSN": server.DSN(unkeydb.Reader, unkeydb.ReaderPassword, set.Name), "CREDITD_SOURCE_WORKSPACE": unkeydb.Workspace,
		"CREDITD_ADDR": proxy.URL, "CREDITD_ROOT_KEY": made["key"].(string),
	}
	pass := func() {
		t.Helper()
		code, stdout, stderr := typed(env, "", "migrate", "unkey", "--quiet")
		require.Equal(t, exitDone, code, "%s%s", stdout, stderr)
	}
	pass()
	id := ""
	require.NoError(t, set.DB.QueryRow("SELECT MIN(id) FROM identities WHERE workspace_id = ? AND deleted = 0", unkeydb.Workspace).Scan(&id))
	find := func() any { return must[object](t, d.c, "identities.getIdentity", object{"identity": id})["id"] }
	require.Equal(t, id, find())
	namesake := must[object](t, d.c, "identities.createIdentity", object{"externalId": id})["identityId"]
	_, err = set.DB.Exec("UPDATE identities SET deleted = 1 WHERE id = ?", id)
	require.NoError(t, err)
	pass()
	require.EqualValues(t, 2, lost.Load())
	require.Equal(t, namesake, find())
}
