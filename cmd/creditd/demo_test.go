package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDemo_PrintsRequestsThatWork: with the root key that a new cluster was founded with. So a package can begin one, and see whether it serves.
func TestDemo_PrintsRequestsThatWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, code := runs(t, nil, "rootkey", "new")
	require.Equal(t, exitDone, code)
	keyFile := filepath.Join(dir, "root.key")
	require.NoError(t, os.WriteFile(keyFile, []byte(made.stdout.String()), 0o600))

	node := start(t, nil, alone(t, filepath.Join(dir, "data"), "--root-key-file", keyFile)...)
	node.await(node.stderr, `msg=ready`)
	p, code := runs(t, nil, "demo", "--root-key-file", keyFile, "--addr", node.await(node.stderr, `msg=started .*http=(\S+)`)[1])
	require.Equal(t, exitDone, code)
	require.Equal(t, "VALID", pasted(t, p.stdout.String())[0]["code"])
	require.Contains(t, p.stdout.String(), strings.TrimSpace(made.stdout.String()))

	address := node.await(node.stderr, `msg=started .*http=(\S+)`)[1]
	p, code = runs(t, nil, "health", "--addr", freeAddress(t), "--addr", address)
	require.Equal(t, exitDone, code)
	require.Equal(t, "ready\n", p.stdout.String())
	node.terminate()
	p, code = runs(t, nil, "health", "--addr", address)
	require.Equal(t, exitFailed, code)
	require.Contains(t, p.stderr.String(), "cannot connect")
}

// TestDemo_PrintsRequestsThatWorkWithTLS: what the command needed to connect, curl needs as well.
func TestDemo_PrintsRequestsThatWorkWithTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, words := range [][]string{
		{"tls", "init", "--dir", dir}, {"tls", "node", "--host", "127.0.0.1"}, {"tls", "client", "--name", "gateway"},
	} {
		if words[1] != "init" {
			words = append(words, "--dir", dir, "--ca", file("ca.crt"), "--ca-key", file("ca.key"))
		}
		p, code := runs(t, nil, words...)
		require.Equal(t, exitDone, code, p.stderr)
	}
	node := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, file("data"),
		"--http-tls-cert", file("node.crt"), "--http-tls-key", file("node.key"), "--http-tls-client-ca", file("ca.crt"))...)
	node.await(node.stderr, `msg=ready`)
	address := node.await(node.stderr, `msg=started .*http=(\S+)`)[1]
	for _, trust := range [][]string{{"--ca-file", file("ca.crt")}, {"--tls-skip-verify"}} {
		p, code := runs(t, []string{"CREDITD_ROOT_KEY=" + testRootKey},
			append([]string{"demo", "--addr", address, "--cert-file", file("gateway.crt"), "--key-file", file("gateway.key")}, trust...)...)
		require.Equal(t, exitDone, code, p.stderr)
		require.Equal(t, "VALID", pasted(t, p.stdout.String())[0]["code"])
	}
	node.terminate()
}
