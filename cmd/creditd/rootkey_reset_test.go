package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
)

// Whoever can write to the data directory of a stopped node gets a new root key, in all nodes, and nothing else changes.
func TestRootkeyReset_AddsARootKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	args := alone(t, dir)
	p, c := startMember(t, args...)
	addCustomer(t, c, "customer", 10)
	_, code := runs(t, nil, "rootkey", "reset", "--data-dir", dir)
	require.Equal(t, exitFailed, code, "the node runs")
	p.terminate()
	made, code := runs(t, nil, "rootkey", "reset", "--data-dir", dir)
	require.Equal(t, exitDone, code, made.stderr.String())
	key := strings.TrimSpace(made.stdout.String())
	waiting, err := os.ReadFile(filepath.Join(dir, "rootkey-reset.json"))
	require.NoError(t, err)
	require.NotContains(t, string(waiting), key)
	require.NotContains(t, made.stderr.String(), "takes its place")
	made, code = runs(t, nil, "rootkey", "reset", "--data-dir", dir)
	require.Equal(t, exitDone, code, made.stderr.String())
	require.Contains(t, made.stderr.String(), "takes its place", "the first root key will never count")
	key = strings.TrimSpace(made.stdout.String())

	p = start(t, nil, args...)
	p.await(p.stderr, `msg="root key added: `)
	fresh := p.client(key)
	require.EqualValues(t, 10, balance(t, fresh, "customer"))
	must[object](t, fresh, "rootKeys.createRootKey", object{"name": "next", "preset": "verify"})
	must[object](t, p.client(testRootKey), "apis.createApi", object{"name": "still"})
	require.NoFileExists(t, filepath.Join(dir, "rootkey-reset.json"))
	p.signal(syscall.SIGTERM)
	require.Equal(t, exitDone, p.wait())

	_, code = runs(t, nil, "rootkey", "reset", "--data-dir", t.TempDir())
	require.Equal(t, exitFailed, code, "no data directory")
}

// A damaged request adds no root key, least of all one of half a hash, and does not end the node.
func TestRootkeyReset_RefusesADamagedRequest(t *testing.T) {
	whole := strings.Repeat("ab", 32)
	id, hash, err := parseReset([]byte(`{"id":"key_1","hash":"` + whole + `"}`))
	require.NoError(t, err)
	require.Equal(t, "key_1", id)
	require.Equal(t, byte(0xab), hash[31])
	for _, damaged := range []string{"", "{", `{"hash":"` + whole + `"}`, `{"id":"key_1"}`, `{"id":"key_1","hash":"` + whole + `ab"}`,
		`{"id":"key_1","hash":"` + whole[2:] + `"}`, `{"id":"key_1","hash":"` + whole[2:] + `zz"}`} {
		_, _, err := parseReset([]byte(damaged))
		require.Error(t, err, damaged)
	}
}

// No root key of the ledger may operate the cluster: the log says why nothing happens.
func TestRootkeyReset_SaysWhyItWaits(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	args := alone(t, dir)
	p, c := startMember(t, args...)
	operator := must[object](t, c, "rootKeys.createRootKey", object{"name": "ends", "preset": "admin", "expires": time.Now().Add(time.Hour).UnixMilli()})
	short := p.client(operator["key"].(string))
	first := must[[]object](t, short, "rootKeys.listRootKeys", object{})
	for _, one := range first {
		if one["name"] == "bootstrap" {
			must[object](t, short, "rootKeys.revokeRootKey", object{"keyId": one["keyId"]})
		}
	}
	p.terminate()
	_, code := runs(t, nil, "rootkey", "reset", "--data-dir", dir)
	require.Equal(t, exitDone, code)
	p = start(t, nil, args...)
	p.await(p.stderr, `no root key of this ledger may operate the cluster`)
	p.signal(syscall.SIGTERM)
	require.Equal(t, exitDone, p.wait())
}

// The procedure of docs/operating.md: a new root key, then the end of the old one.
func TestHandbook_RotatesTheRootKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, c := startMember(t, alone(t, filepath.Join(dir, "data"))...)
	write(t, filepath.Join(dir, "root.key"), testRootKey)
	handbookScript(t, "### Replacing a root key", dir, "CREDITD_ADDR="+c.Node(), "CREDITD_ROOT_KEY=")
	key, err := os.ReadFile(filepath.Join(dir, "root.key"))
	require.NoError(t, err)
	fresh := client.New(client.Config{Node: c.Node(), RootKey: strings.TrimSpace(string(key)), Timeout: patience})
	must[object](t, fresh, "apis.createApi", object{"name": "rotated"})
	require.Equal(t, 401, c.Call(t.Context(), "apis.createApi", object{"name": "old"}, nil).Status)
	p.terminate()
}
