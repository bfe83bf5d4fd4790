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
