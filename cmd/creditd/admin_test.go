package main

import (
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// With an address of their own, metrics and the document are there and not at the HTTP port. Profiles are nowhere else, ever.
func TestAdmin_HasItsOwnAddress(t *testing.T) {
	t.Parallel()
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, t.TempDir(), "--admin-addr", "127.0.0.1:0")...)
	found := p.await(p.stderr, `msg=started .*http=(\S+) admin=(\S+)`)
	p.await(p.stderr, `msg=ready`)
	clients, admin := "http://"+found[1], "http://"+found[2]
	for _, path := range []string{"/metrics", "/openapi.json", "/debug/logs", "/debug/settings", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/profile?seconds=1"} {
		require.Equal(t, 200, statusOf(t, admin+path), path)
		require.NotEqual(t, 200, statusOf(t, clients+path), path)
	}
	for _, seconds := range []string{"61", "1e9", "NaN", "x"} {
		for _, path := range []string{"profile", "trace", "heap"} {
			require.Equal(t, 400, statusOf(t, admin+"/debug/pprof/"+path+"?seconds="+seconds), "%s for %s s", path, seconds)
		}
	}
	for _, url := range []string{clients, admin} {
		require.Equal(t, 200, statusOf(t, url+"/readyz"))
	}
	re, err := http.Post(admin+"/v2/apis.createApi", "application/json", nil)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, re.Body)
	require.NoError(t, err)
	require.NoError(t, re.Body.Close())
	require.Equal(t, 404, re.StatusCode)
	p.terminate()
	without, c := startMember(t, alone(t, t.TempDir())...)
	require.Equal(t, 404, statusOf(t, c.Node()+"/debug/pprof/"))
	require.Equal(t, 200, statusOf(t, c.Node()+"/metrics"))
	without.terminate()
}

// The admin address has the certificate of the HTTP port, and demands the same certificates of clients. The debug bundle speaks it.
func TestAdmin_HasTheTLSOfTheHTTPPort(t *testing.T) {
	t.Parallel()
	dir := issued(t, "node")
	in := func(name string) string { return filepath.Join(dir, name) }
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, t.TempDir(), "--admin-addr", "127.0.0.1:0", "--http-tls-cert", in("node.crt"),
		"--http-tls-key", in("node.key"), "--http-tls-client-ca", in("ca.crt"))...)
	found := p.await(p.stderr, `msg=started .*http=https://(\S+) admin=(\S+)`)
	p.await(p.stderr, `msg=ready`)
	_, _, err := get(t, trust(t, dir), false, "https://"+found[2]+"/metrics")
	require.ErrorContains(t, err, "certificate required")
	require.Equal(t, 400, statusOf(t, "http://"+found[2]+"/metrics"))

	archive := in("bundle.tar.gz")
	bundle, code := runs(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, "debug", "bundle", archive, "--cpu", "1s", "--addr", found[1], "--admin", found[2],
		"--ca-file", in("ca.crt"), "--cert-file", in("node.crt"), "--key-file", in("node.key"))
	require.Equal(t, exitDone, code, bundle.stderr)
	require.NotContains(t, bundle.stderr.String(), "could not be had")
	p.terminate()
}
