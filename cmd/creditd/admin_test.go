package main

import (
	"io"
	"net/http"
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
	open := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, t.TempDir(), "--admin-addr", "0.0.0.0:0")...)
	open.await(open.stderr, `level=WARN msg="whoever reaches --admin-addr can read`)
	open.terminate()
}
