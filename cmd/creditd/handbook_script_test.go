package main

import (
	"crypto/tls"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// handbookScript runs, in dir, the first script below a heading of docs/operating.md as it is written there.
func handbookScript(t testing.TB, heading, dir string, env ...string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operating.md"))
	require.NoError(t, err)
	_, below, found := strings.Cut(string(page), "\n"+heading+"\n")
	require.True(t, found, heading)
	_, below, _ = strings.Cut(below, "```sh\n")
	script, _, found := strings.Cut(below, "```")
	require.True(t, found, heading)
	require.Equal(t, "creditd", filepath.Base(binary), "the commands name it so")
	shell := exec.CommandContext(t.Context(), "sh", "-euc", script)
	shell.Dir, shell.Env = dir, append([]string{"PATH=" + filepath.Dir(binary) + string(os.PathListSeparator) + os.Getenv("PATH")}, env...)
	out, err := shell.CombinedOutput()
	require.NoError(t, err, "%s\n%s", script, out)
}

// Certificates are made and replaced as docs/operating.md says, while a node serves with them.
func TestHandbook_MakesAndReplacesCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	handbookScript(t, "### Making them", dir)
	in := func(name string) string { return filepath.Join(dir, name) }
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, in("data"), "--http-tls-cert", in("node1.crt"), "--http-tls-key", in("node1.key"), "--http-tls-client-ca", in("ca.crt"))...)
	address := p.await(p.stderr, `msg=started .*http=https://(\S+)`)[1]
	p.await(p.stderr, `msg=ready`)
	healthy := func() {
		code, _, stderr := outputOf(nil, "health", "--addr", "https://"+address, "--ca-file", in("ca.crt"), "--cert-file", in("gateway.crt"), "--key-file", in("gateway.key"))
		require.Equal(t, exitDone, code, stderr)
	}
	serial := func() *big.Int {
		conf := trust(t, dir)
		gateway, err := tls.LoadX509KeyPair(in("gateway.crt"), in("gateway.key"))
		require.NoError(t, err)
		conf.Certificates = []tls.Certificate{gateway}
		conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", address, conf)
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber
	}
	healthy()
	before := serial()
	handbookScript(t, "### Replacing them", dir)
	p.signal(syscall.SIGHUP)
	await(t, func() bool { return serial().Cmp(before) != 0 })
	healthy()
	p.terminate()
}
