package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
)

// refuses runs creditd and expects it to end with code, and to say every one of the texts on stderr and nothing on stdout.
func refuses(t testing.TB, env []string, args []string, code int, says ...string) {
	t.Helper()
	p, got := runs(t, env, args...)
	require.Equal(t, code, got, p.stderr.String())
	for _, text := range says {
		require.Contains(t, p.stderr.String(), text)
	}
	require.Empty(t, p.stdout.String())
	require.NotContains(t, p.stderr.String(), "goroutine ", "a message, not a crash")
}

// TestRefusal_WrongUsage: exit code 2, the place of the mistake, what to do, and no data directory.
func TestRefusal_WrongUsage(t *testing.T) {
	t.Parallel()
	files := t.TempDir()
	write(t, filepath.Join(files, "short"), "c2hvcnQ=")
	write(t, filepath.Join(files, "empty"), " \n")
	write(t, filepath.Join(files, "conf"), "http-addr = 127.0.0.1:1\nhtpp-addr = x\nno value\njoin = a:1\njoin = b\npeer-addr = [::1]:1 # comment\n")
	file := func(name string) string { return filepath.Join(files, name) }
	for name, test := range map[string]struct {
		args []string
		env  []string
		says []string
	}{
		"no command":          {args: []string{}, says: []string{"Usage:\n  creditd COMMAND"}},
		"unknown command":     {args: []string{"serve"}, says: []string{`unknown command "serve"`, "server"}},
		"unknown subcommand":  {args: []string{"cluster", "evict"}, says: []string{`creditd cluster: unknown command "evict"`, "status, transfer-leader"}},
		"unknown flag":        {args: []string{"server", "--htpp-addr", "x"}, says: []string{"-htpp-addr", "'creditd help server'"}},
		"flag without value":  {args: []string{"server", "--data-dir"}, says: []string{"-data-dir", "needs an argument"}},
		"argument":            {args: []string{"server", "x", "--data-dir", "$DIR"}, says: []string{`unexpected argument "x"`}},
		"nothing to join":     {args: []string{"server", "--data-dir", "$DIR"}, says: []string{"--bootstrap-expect: missing", "--join"}},
		"rejoin what":         {args: []string{"server", "--data-dir", "$DIR", "--rejoin"}, says: []string{"--rejoin: needs --join"}},
		"no directory":        {args: []string{"server", "--bootstrap-expect", "1"}, says: []string{"--data-dir: missing"}},
		"directory is a file": {args: []string{"server", "--data-dir", file("short")}, says: []string{"--data-dir:", "is not a directory"}},
		"even expect":         {args: []string{"server", "--data-dir", "$DIR", "--bootstrap-expect", "2"}, says: []string{`--bootstrap-expect: "2": must be odd: 1, 3, 5 or 7`}},
		"expect by variable":  {args: []string{"server", "--data-dir", "$DIR"}, env: []string{"CREDITD_BOOTSTRAP_EXPECT=x"}, says: []string{`CREDITD_BOOTSTRAP_EXPECT: "x"`}},
		"duration":            {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--heartbeat-timeout", "5"}, says: []string{`--heartbeat-timeout: "5": not a duration`, "500ms"}},
		"duration too short":  {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--election-timeout", "1ms"}, says: []string{"--election-timeout", "too short; at least 100ms"}},
		"election below heartbeat": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--heartbeat-timeout", "2s", "--election-timeout", "1s"},
			says: []string{"--election-timeout: 1s is below --heartbeat-timeout 2s"}},
		"trailing logs": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--snapshot-threshold", "10000"},
			says: []string{"--trailing-logs: 16384 is below twice --snapshot-threshold 10000"}},
		"join address":      {args: []string{"server", "--data-dir", "$DIR", "--join", "10.0.0.1:7072,10.0.0.2"}, says: []string{`--join: "10.0.0.2": not HOST:PORT`}},
		"join everywhere":   {args: []string{"server", "--data-dir", "$DIR", "--join", "0.0.0.0:7072"}, says: []string{"--join", "cannot connect to that host"}},
		"http address":      {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--http-addr", "http://127.0.0.1:7070"}, says: []string{"--http-addr"}},
		"two ports in one":  {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--peer-addr", "127.0.0.1:7070"}, says: []string{"--peer-addr: 127.0.0.1:7070 is already taken by --http-addr"}},
		"peers in the open": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--peer-addr", "10.0.0.1:7071"}, says: []string{"--cluster-secret-file: missing", "10.0.0.1:7071", "--insecure-peers", "creditd secret new"}},
		"no address to tell": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--peer-addr", ":7071", "--insecure-peers"},
			says: []string{"--advertise-peer: missing"}},
		"gossip in the open": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--gossip-addr", ":7072"}, says: []string{"--cluster-secret-file: missing", ":7072", "--insecure-gossip", "creditd secret new"}},
		"secret missing":     {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--cluster-secret-file", file("none")}, says: []string{"--cluster-secret-file: the cluster secret cannot be read", file("none")}},
		"secret short":       {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--cluster-secret-file", file("short"), "--peer-addr", "10.0.0.1:7071"}, says: []string{"--cluster-secret-file: the cluster secret stands for 5 bytes; at least 32", "creditd secret new"}},
		"secret guessed":     {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1"}, env: []string{"CREDITD_CLUSTER_SECRET=" + strings.Repeat("0", 64)}, says: []string{"CREDITD_CLUSTER_SECRET: ", "can be guessed"}},
		"secret in sight":    {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--cluster-secret", "x"}, says: []string{"--cluster-secret: an argument shows in the process list"}},
		"gossip key missing": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--gossip-key-file", file("none")}, says: []string{"--gossip-key-file: the gossip key cannot be read", file("none")}},
		"gossip key short":   {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--gossip-key-file", file("short")}, says: []string{"does not hold 32 bytes in base64"}},
		"root key missing":   {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--root-key-file", file("none")}, says: []string{"--root-key-file: the root key cannot be read", file("none")}},
		"root key directory": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--root-key-file", files}, says: []string{"--root-key-file: the root key cannot be read", files}},
		"root key empty":     {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--root-key-file", file("empty")}, says: []string{"is empty"}},
		"root key short":     {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1"}, env: []string{"CREDITD_ROOT_KEY=short"}, says: []string{"CREDITD_ROOT_KEY: the root key has 5 characters; at least 16"}},
		"root key in sight":  {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--root-key", testRootKey}, says: []string{"--root-key: an argument shows in the process list"}},
		"two root keys": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1"}, env: []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_ROOT_KEY_FILE=" + file("short")},
			says: []string{"CREDITD_ROOT_KEY_FILE: CREDITD_ROOT_KEY names a root key as well"}},
		"file missing": {args: []string{"server", "--data-dir", "$DIR", "--join", "a:1", "--config", file("none")}, says: []string{"--config: the configuration file cannot be read", file("none")}},
		"file": {args: []string{"server", "--data-dir", "$DIR", "--config", file("conf")},
			says: []string{"4 things are wrong", file("conf") + `:2: no setting is called "htpp-addr"`, file("conf") + ":3: a line must read", file("conf") + `:4: join: "b"`, file("conf") + ":6: a comment stands on a line of its own"}},
		"all at once": {args: []string{"server", "--data-dir", "$DIR", "--join", "a", "--log-level", "loud"}, env: []string{"CREDITD_LOG_STORE=sql"},
			says: []string{"3 things are wrong", "--join", `--log-level: "loud": unknown; one of debug, info, warn, error`, `CREDITD_LOG_STORE: "sql": unknown; one of boltdb, wal`}},
		"dev in the open":     {args: []string{"dev", "--data-dir", "$DIR", "--http-addr", "0.0.0.0:7070"}, says: []string{"--http-addr: 0.0.0.0:7070 can be reached from other machines", "loopback only"}},
		"dev by name":         {args: []string{"dev", "--data-dir", "$DIR", "--http-addr", "example.org:7070"}, says: []string{"--http-addr", "loopback only"}},
		"dev root key":        {args: []string{"dev", "--data-dir", "$DIR", "--root-key", "a b"}, says: []string{"--root-key", "visible ASCII"}},
		"status without key":  {args: []string{"cluster", "status"}, says: []string{"--root-key: missing", "CREDITD_ROOT_KEY"}},
		"status of a path":    {args: []string{"cluster", "status", "--root-key", "x", "--addr", "ftp://a"}, says: []string{`--addr: "ftp://a"`}},
		"revoke nothing":      {args: []string{"rootkey", "revoke", "--root-key", "x"}, says: []string{"the argument KEYID is missing", "'creditd help rootkey revoke'"}},
		"rootkey for nothing": {args: []string{"rootkey", "create", "--expires", "12"}, says: []string{"--name: missing", "--permission: missing", "--expires", "unit", "--root-key: missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			args := make([]string, len(test.args))
			for i, arg := range test.args {
				args[i] = strings.Replace(arg, "$DIR", dir, 1)
			}
			refuses(t, test.env, args, exitUsage, test.says...)
			require.NoDirExists(t, dir)
		})
	}
}

// TestRefusal_PortInUse: the flag is named, and nothing was written.
func TestRefusal_PortInUse(t *testing.T) {
	t.Parallel()
	for _, option := range []string{"--http-addr", "--peer-addr", "--gossip-addr"} {
		for _, network := range []string{"tcp", "udp"} {
			if network == "udp" && option != "--gossip-addr" {
				continue
			}
			t.Run(option+" "+network, func(t *testing.T) {
				t.Parallel()
				address := freeAddress(t)
				hold(t, network, address)
				dir := filepath.Join(t.TempDir(), "data")
				refuses(t, nil, alone(t, dir, option, address), exitFailed, option+" "+address+": the port is in use")
				require.NoDirExists(t, dir)
			})
		}
	}
	t.Run("foreign address", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "data")
		refuses(t, nil, alone(t, dir, "--peer-addr", "192.0.2.1:7071", "--insecure-peers"), exitFailed, "--peer-addr 192.0.2.1:7071: this machine does not have that address")
		require.NoDirExists(t, dir)
	})
}

func hold(t testing.TB, network, address string) {
	t.Helper()
	var held io.Closer
	var err error
	if network == "udp" {
		held, err = net.ListenPacket(network, address)
	} else {
		held, err = net.Listen(network, address)
	}
	require.NoError(t, err)
	t.Cleanup(func() { _ = held.Close() })
}

func TestRefusal_DirectoryInUse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p, _ := startMember(t, alone(t, dir)...)
	refuses(t, nil, alone(t, dir), exitFailed, "--data-dir", dir, fmt.Sprintf("in use by process %d", p.PID()), "stop that process or name another directory")
	p.terminate()
}

// TestRefusal_Directory: what cannot be used is refused as it is, by the name of the file, and left alone.
func TestRefusal_Directory(t *testing.T) {
	t.Parallel()
	made := filepath.Join(t.TempDir(), "made")
	p, c := startMember(t, alone(t, made, "--log-store", "boltdb")...)
	addCustomer(t, c, "customer", 10)
	p.terminate()

	for name, test := range map[string]struct {
		spoil func(t *testing.T, dir string)
		says  []string
	}{
		"foreign": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "meta.json")))
			for _, name := range []string{"stable.db", "log.db", "state.db"} {
				require.NoError(t, os.Remove(filepath.Join(dir, name)))
			}
			write(t, filepath.Join(dir, "thesis.doc"), "")
		}, []string{"was not made by creditd", "thesis.doc", "name an empty or new directory"}},
		"newer": {func(t *testing.T, dir string) { seal(t, dir, func(o object) { o["layout_version"] = 99 }) },
			[]string{"meta.json", "layout version 99", "start the newer creditd"}},
		"older": {func(t *testing.T, dir string) { seal(t, dir, func(o object) { o["layout_version"] = 1 }) },
			[]string{"meta.json", "layout version 1", "start the older creditd"}},
		"identity damaged": {func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "meta.json"), `{"content":{},"crc32c":"00000000"}`)
		},
			[]string{"meta.json", "checksum", "move its data directory away", ".damaged"}},
		"state damaged": {func(t *testing.T, dir string) { require.NoError(t, os.Truncate(filepath.Join(dir, "state.db"), 5000)) },
			[]string{"state.db", "move its data directory away", ".damaged"}},
		"log missing": {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "log.db"))) },
			[]string{"log.db", "this file is missing"}},
		"other log": {func(t *testing.T, dir string) {}, []string{"created with a boltdb log, but wal is requested"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			require.NoError(t, os.CopyFS(dir, os.DirFS(made)))
			test.spoil(t, dir)
			args := alone(t, dir)
			if name == "other log" {
				args = append(args, "--log-store", "wal")
			}
			code := exitFailed
			if strings.HasSuffix(name, "damaged") || strings.HasSuffix(name, "missing") {
				code = exitStuck
			}
			refuses(t, nil, args, code, append(test.says, "--data-dir")...)
		})
	}
}

// TestRefusal_OtherCluster: a node that is pointed at a foreign cluster stops, and harms neither.
func TestRefusal_OtherCluster(t *testing.T) {
	t.Parallel()
	dir, gossip := filepath.Join(t.TempDir(), "data"), freeAddress(t)
	first, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"), "--gossip-addr", gossip)...)
	second, _ := startMember(t, alone(t, dir)...)
	second.terminate()
	refuses(t, nil, alone(t, dir, "--join", gossip), exitFailed, "--data-dir "+dir, "belongs to cluster", "use another data directory")

	require.Len(t, must[api.Status](t, c, "cluster.getStatus", object{}).Nodes, 1)
	first.terminate()
	second, _ = startMember(t, alone(t, dir)...)
	second.terminate()
}

// seal changes meta.json and makes its checksum fit again.
func seal(t testing.TB, dir string, change func(object)) {
	t.Helper()
	path := filepath.Join(dir, "meta.json")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct{ Content object }
	require.NoError(t, json.Unmarshal(data, &file))
	change(file.Content)
	content, err := json.Marshal(file.Content)
	require.NoError(t, err)
	write(t, path, fmt.Sprintf(`{"content":%s,"crc32c":"%08x"}`, content, crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli))))
}

// TestRefusal_FullDisk: a node that cannot write does not begin, and says what is missing.
func TestRefusal_FullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "size=4k")
	refuses(t, nil, alone(t, dir), exitFailed, "--data-dir", dir, "the disk is full", "free some space")
}

// TestRefusal_DiskIsNearlyFull: from the reserve on a node refuses changes, before any write of its own fails. It goes on reading, and
// takes changes again when there is space.
func TestRefusal_DiskIsNearlyFull(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "size=64m")
	p, c := startMember(t, alone(t, filepath.Join(disk, "data"), "--log-store", "boltdb", "--disk-reserve", "16MiB")...)
	addCustomer(t, c, "customer", 1000)
	ballast := filepath.Join(disk, "ballast")
	require.NoError(t, os.WriteFile(ballast, make([]byte, 36<<20), 0o600))
	var refused error
	acknowledged := 0
	for ; refused == nil && acknowledged < 1000; acknowledged++ {
		request := object{"externalId": fmt.Sprintf("customer%d", acknowledged), "meta": object{"text": strings.Repeat("x", 500_000)}}
		refused = c.Call(t.Context(), "identities.createIdentity", request, nil).Err
	}
	acknowledged--
	require.ErrorContains(t, refused, "503")
	require.ErrorContains(t, refused, "The disk of node_")
	require.Positive(t, acknowledged)
	for range 500 { // as long as anybody wants to read
		require.EqualValues(t, 1000, balance(t, c, "customer"))
	}
	require.Equal(t, http.StatusOK, statusOf(t, c.Node()+"/readyz"))

	require.NoError(t, os.Remove(ballast))
	p.await(p.stderr, "the disk has free space again")
	must[object](t, c, "identities.createIdentity", object{"externalId": "another"})
	for i := range acknowledged {
		must[object](t, c, "identities.getIdentity", object{"identity": fmt.Sprintf("customer%d", i)})
	}
	p.terminate()
}

// TestRefusal_DiskFillsUp: a node that can no longer write stops with an error. When there is space again, it starts with everything that
// it acknowledged.
func TestRefusal_DiskFillsUp(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "size=32m")
	args := alone(t, filepath.Join(disk, "data"), "--log-store", "boltdb", "--disk-reserve", "0") // wal reserves more than this disk has
	p, c := startMember(t, args...)
	key := addCustomer(t, c, "customer", 1000)
	must[object](t, c, "keys.verifyKey", object{"key": key})

	ballast, err := os.Create(filepath.Join(disk, "ballast"))
	require.NoError(t, err)
	_, err = io.Copy(ballast, zeros{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, ballast.Close())
	acknowledged := 0
	for i := 0; ; i++ { // until the space inside the files is used up, too
		name := fmt.Sprintf("customer%d", i)
		request := object{"externalId": name, "meta": object{"text": strings.Repeat("x", 500_000)}}
		if c.Call(t.Context(), "identities.createIdentity", request, nil).Err != nil {
			break
		}
		acknowledged++
	}
	require.Equal(t, exitFailed, p.wait())
	require.Contains(t, p.stderr.String(), "creditd server: the node cannot go on")
	require.Contains(t, p.stderr.String(), "the disk is full")

	require.NoError(t, os.Remove(ballast.Name()))
	p, c = startMember(t, args...)
	require.EqualValues(t, 999, balance(t, c, "customer"))
	for i := range acknowledged {
		must[object](t, c, "identities.getIdentity", object{"identity": fmt.Sprintf("customer%d", i)})
	}
	p.terminate()
}

// TestRefusal_ReserveBelowTwoSegments: the flag is named, the least that works too, and nothing was written.
func TestRefusal_ReserveBelowTwoSegments(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	refuses(t, nil, alone(t, dir, "--disk-reserve", "64MiB"), exitFailed, "--disk-reserve: ", "the disk reserve is 64 MiB", "at least 128 MiB")
	require.NoDirExists(t, dir)
}

// smallDisk mounts a small file system, if it may.
func smallDisk(t testing.TB, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size); err != nil {
		t.Skipf("a full disk needs a mount, and this process may not mount one: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestRefusal_OperatorCommands: the operator learns which of the three parties is wrong.
func TestRefusal_OperatorCommands(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"))...)
	status := func(addr, key string) []string {
		return []string{"cluster", "status", "--addr", addr, "--root-key", key}
	}
	refuses(t, nil, status(freeAddress(t), "x"), exitFailed, "nothing listens at http://127.0.0.1:", "--addr")
	refuses(t, nil, status(c.Node()+"/elsewhere", "x"), exitFailed, "this is not an answer of creditd")
	refuses(t, nil, status(c.Node(), "wrong"), exitFailed, "cluster.getStatus: 401", "is this a root key of this cluster?")
	refuses(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, []string{"cluster", "transfer-leader", "node_unknown", "--addr", c.Node()}, exitFailed, "cluster.transferLeadership: 4")
	refuses(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, []string{"rootkey", "create", "--addr", c.Node(), "--name", "x", "--permission", "api.*.read_api", "--workspace", "ws_unknown"},
		exitFailed, "rootKeys.createRootKey: 404")
	p.terminate()
}
