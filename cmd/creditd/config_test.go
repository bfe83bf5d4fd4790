package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// here is an invocation with exactly this environment.
func here(env map[string]string, args ...string) invocation {
	return invocation{
		args: args, now: time.Now(), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{},
		env: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
	}
}

// settle reads and checks the settings of a command and returns what is wrong with them.
func settle(t testing.TB, in invocation, c command) error {
	t.Helper()
	leaf := &cobra.Command{}
	set := settings.New(leaf)
	c.bind(set)
	require.NoError(t, leaf.ParseFlags(in.args))
	set.Resolve(in.env)
	c.check(in, set)
	return set.Err()
}

func parsed(t testing.TB, env map[string]string, args ...string) *serverCommand {
	t.Helper()
	server := newServer()
	require.NoError(t, settle(t, here(env, args...), server))
	return server
}

// problemsOf returns what is wrong with the arguments of a server.
func problemsOf(t testing.TB, now time.Time, args ...string) []string {
	t.Helper()
	in := here(nil, args...)
	in.now = now
	var wrong *settings.UsageError
	require.ErrorAs(t, settle(t, in, newServer()), &wrong)
	return wrong.Problems
}

func TestConfig_FlagThenVariableThenFileThenDefault(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "conf")
	write(t, file, "data-dir = "+dir+"\nbootstrap-expect=3\nlog-level = debug\nlog-format = json\nhttp-addr = 127.0.0.1:1\njoin = 10.0.0.1:1\njoin = 10.0.0.2:1, 10.0.0.3:1\ninsecure-peers = true\n")
	env := map[string]string{"CREDITD_CONFIG": file, "CREDITD_HTTP_ADDR": "127.0.0.1:2", "CREDITD_LOG_LEVEL": "warn", "CREDITD_LOG_FORMAT": "", "CREDITD_INSECURE_PEERS": "false"}
	conf := parsed(t, env, "--http-addr", "127.0.0.1:4", "--http-addr=127.0.0.1:3", "--insecure-gossip")
	require.Equal(t, "127.0.0.1:3", conf.http.addr, "the last flag")
	require.Equal(t, logConfig{level: "warn", format: "json"}, conf.log, "a variable, and the file where it is empty")
	require.Equal(t, 3, conf.cluster.BootstrapExpect)
	require.Equal(t, []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"}, conf.cluster.Join)
	require.Equal(t, defaultPeerAddr, conf.peerAddr)
	require.True(t, conf.cluster.InsecureGossip)

	conf = parsed(t, env, "--join", "10.0.0.9:1", "--join", "a.example:2,b.example:3")
	require.Equal(t, []string{"10.0.0.9:1", "a.example:2", "b.example:3"}, conf.cluster.Join, "a flag replaces the list of the file")
}

// TestConfig_DefaultsAreAccepted: what the help text prints as a default must pass its own checks, and the cluster's.
func TestConfig_DefaultsAreAccepted(t *testing.T) {
	conf := parsed(t, nil, "--data-dir", t.TempDir(), "--bootstrap-expect", "1")
	d := cluster.DefaultConfig()
	require.Equal(t, d.HeartbeatTimeout, conf.cluster.HeartbeatTimeout)
	require.Equal(t, d.TrailingLogs, conf.cluster.TrailingLogs)
	require.Equal(t, defaultHTTPAddr, conf.cluster.AdvertiseHTTP)
	require.Equal(t, defaultPeerAddr, conf.cluster.AdvertisePeer)
	require.Equal(t, defaultGossipAddr, conf.cluster.AdvertiseGossip)
	require.Empty(t, conf.rootKey.key)
	require.Nil(t, conf.cluster.ServerTLS)
}

// TestConfig_OneReachableHostIsEnough: on a machine that listens everywhere only the peer address must be told.
func TestConfig_OneReachableHostIsEnough(t *testing.T) {
	conf := parsed(t, nil, "--data-dir", t.TempDir(), "--join", "a:1", "--insecure-peers", "--insecure-gossip",
		"--http-addr", ":7070", "--peer-addr", "0.0.0.0:7071", "--gossip-addr", "[::]:7072", "--advertise-peer", "node1.example:9071")
	require.Equal(t, "node1.example:9071", conf.cluster.AdvertisePeer)
	require.Equal(t, "node1.example:7070", conf.cluster.AdvertiseHTTP)
	require.Equal(t, "node1.example:7072", conf.cluster.AdvertiseGossip)
	for _, everywhere := range []string{":7070", "0.0.0.0:7070", "[::]:7070", "[::ffff:0.0.0.0]:7070"} {
		conf := parsed(t, nil, "--data-dir", t.TempDir(), "--join", "a:1", "--http-addr", everywhere)
		require.Equal(t, "127.0.0.1:7070", conf.cluster.AdvertiseHTTP, everywhere)
		require.Equal(t, "127.0.0.1:7070", reachable(everywhere, conf.cluster.AdvertiseHTTP))
	}
	require.Equal(t, "10.0.0.1:1", reachable("10.0.0.1:1", "proxy.example:80"))
}

// TestConfig_NewNodeMustBeToldWhereItBelongs: one that has been a member knows.
func TestConfig_NewNodeMustBeToldWhereItBelongs(t *testing.T) {
	dir := t.TempDir()
	require.Contains(t, problemsOf(t, time.Now(), "--data-dir", dir)[0], "--bootstrap-expect: missing")
	write(t, filepath.Join(dir, "meta.json"), "{}")
	parsed(t, nil, "--data-dir", dir)
}

func TestConfig_Loopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.8.8.8:1": true, "[::1]:1": true, "localhost:1": true, "LOCALHOST:1": true, "[::ffff:127.0.0.1]:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "localhost.example:1": false, "[fe80::1%lo]:1": false,
	} {
		require.Equal(t, want, isLoopback(address), address)
	}
}

func TestConfig_Addresses(t *testing.T) {
	for _, good := range []string{":7070", "127.0.0.1:0", "[::1]:65535", "node-1.example:80", "localhost:1"} {
		_, err := parseAddress(good)
		require.NoError(t, err, good)
	}
	for _, bad := range []string{"", "7070", "localhost", "::1:7070", "[nonsense:x]:1", "a:b", "a:65536", "a:-1", "http://a:1", "a/b:1", "u@a:1", "a b:1"} {
		_, err := parseAddress(bad)
		require.Error(t, err, bad)
	}
	for _, bad := range []string{":7070", "0.0.0.0:1", "[::]:1", "a:0"} {
		_, err := parseTarget(bad)
		require.Error(t, err, bad)
	}
}

func TestConfig_RootKey(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	write(t, file, "root_key_in_a_file\n")
	base := []string{"--data-dir", dir, "--bootstrap-expect", "1"}
	require.Equal(t, "root_key_in_a_file", parsed(t, nil, append(base, "--root-key-file", file)...).rootKey.key)
	require.Equal(t, testRootKey, parsed(t, map[string]string{"CREDITD_ROOT_KEY": testRootKey}, base...).rootKey.key)
	require.Equal(t, "root_key_in_a_file", parsed(t, map[string]string{"CREDITD_ROOT_KEY": testRootKey}, append(base, "--root-key-file", file)...).rootKey.key,
		"a flag counts before a variable")
	write(t, file, "secret with a blank in it\n")
	found := problemsOf(t, time.Now(), append(base, "--root-key-file", file)...)
	require.Contains(t, found[0], "visible ASCII")
	require.NotContains(t, strings.Join(found, ""), "secret", "messages end up in logs")
}

func TestConfig_PeerCertificate(t *testing.T) {
	dir := t.TempDir()
	ca, other := newAuthority(t, dir), newAuthority(t, t.TempDir())
	cert, key := ca.issue(t, "good", "10.0.0.1")
	_, wrongKey := ca.issue(t, "unrelated", "10.0.0.1")
	byName, byNameKey := ca.issue(t, "name", "node1.example")
	serverOnly, serverOnlyKey := ca.issue(t, "server", "10.0.0.1", func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	text := filepath.Join(dir, "text")
	write(t, text, "no certificate")

	base := []string{"--data-dir", dir, "--bootstrap-expect", "1", "--peer-addr", "10.0.0.1:7071"}
	with := func(cert, key, ca string) []string {
		return append(base, "--tls-cert", cert, "--tls-key", key, "--tls-ca", ca)
	}
	accepted := parsed(t, nil, with(cert, key, ca.file)...)
	again := parsed(t, nil, append(with(cert, key, ca.file), "--peer-tls-cert", cert, "--peer-tls-key", key, "--peer-tls-ca", ca.file)...)
	require.Equal(t, accepted.peers.Keeper.Current().Pair.Certificate, again.peers.Keeper.Current().Pair.Certificate, "the former names mean the same")
	require.Contains(t, problemsOf(t, time.Now(), append(with(cert, key, ca.file), "--peer-tls-cert", byName)...)[0],
		"--tls-cert is the former name of this setting and says something else")
	conf := accepted.cluster.ClientTLS()
	require.Equal(t, tls.RequireAndVerifyClientCert, conf.ClientAuth)
	require.EqualValues(t, tls.VersionTLS13, conf.MinVersion)
	require.NotNil(t, conf.RootCAs)
	require.NotNil(t, conf.ClientCAs)
	parsed(t, nil, append(with(byName, byNameKey, ca.file), "--advertise-peer", "node1.example:1")...)

	none := filepath.Join(dir, "none")
	for name, test := range map[string]struct {
		args []string
		now  time.Time
		says []string
	}{
		"alone":       {args: append(base, "--tls-cert", cert), says: []string{"--peer-tls-key: missing", "--peer-tls-ca: missing"}},
		"unreadable":  {args: with(none, none, none), says: []string{"--tls-cert: cannot be read"}},
		"no PEM":      {args: with(text, key, text), says: []string{"--tls-cert: " + text + " holds no certificate"}},
		"no CA":       {args: with(cert, key, text), says: []string{"--tls-ca: " + text + " holds no certificate"}},
		"no pair":     {args: with(cert, wrongKey, ca.file), says: []string{"--tls-key: ", "do not make a pair"}},
		"other CA":    {args: with(cert, key, other.file), says: []string{"--tls-cert: ", "would refuse the certificate"}},
		"server only": {args: with(serverOnly, serverOnlyKey, ca.file), says: []string{"as a client"}},
		"other host":  {args: with(byName, byNameKey, ca.file), says: []string{"peers connect to 10.0.0.1:7071"}},
		"over":        {args: with(cert, key, ca.file), now: time.Now().Add(2 * time.Hour), says: []string{"expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			now := test.now
			if now.IsZero() {
				now = time.Now()
			}
			found := strings.Join(problemsOf(t, now, test.args...), "\n")
			for _, text := range test.says {
				require.Contains(t, found, text)
			}
		})
	}
}

func TestRootkey_Expiry(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for raw, want := range map[string]string{"720h": "2026-01-31T00:00:00Z", "2030-01-31T02:00:00+02:00": "2030-01-31T00:00:00Z"} {
		at, err := parseExpiry(raw, now)
		require.NoError(t, err)
		require.Equal(t, want, at.UTC().Format(time.RFC3339))
	}
	for _, bad := range []string{"", "1", "-1h", "0s", "2025-12-31T23:59:59Z", "tomorrow"} {
		_, err := parseExpiry(bad, now)
		require.Error(t, err, bad)
	}
}

// TestBanner_QuotesForTheShell: any root key survives the shell.
func TestBanner_QuotesForTheShell(t *testing.T) {
	require.Equal(t, `'it'\''s $HOME'`, quoted(`it's $HOME`))
}

// TestConfig_WarnsOfSecretsThatOthersCanRead: each file that holds a secret, by the flag that names it.
func TestConfig_WarnsOfSecretsThatOthersCanRead(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	rootKey, gossipKey := filepath.Join(dir, "root key"), filepath.Join(dir, "gossip")
	write(t, rootKey, testRootKey)
	write(t, gossipKey, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	cert, key := newAuthority(t, dir).issue(t, "node", "127.0.0.1")
	warnings := func() []string {
		set := settings.New(&cobra.Command{})
		server := newServer()
		server.bind(set)
		set.Resolve(func(name string) (string, bool) {
			value, ok := map[string]string{
				"CREDITD_DATA_DIR": dir, "CREDITD_JOIN": "a:1", "CREDITD_ROOT_KEY_FILE": rootKey, "CREDITD_GOSSIP_KEY_FILE": gossipKey,
				"CREDITD_TLS_CERT": cert, "CREDITD_TLS_KEY": key, "CREDITD_TLS_CA": filepath.Join(dir, "ca.pem"),
			}[name]
			return value, ok
		})
		server.check(here(nil), set)
		require.NoError(t, set.Err())
		return set.Warnings()
	}
	for _, path := range []string{rootKey, gossipKey, key} {
		require.NoError(t, os.Chmod(path, 0o640))
	}
	require.Len(t, warnings(), 1)
	require.Contains(t, warnings()[0], "CREDITD_TLS_CERT: whoever has a certificate of "+filepath.Join(dir, "ca.pem")+" counts as a node")
	for _, path := range []string{rootKey, gossipKey, key} {
		require.NoError(t, os.Chmod(path, 0o644))
	}
	said := slices.DeleteFunc(warnings(), func(text string) bool { return strings.Contains(text, "counts as a node") })
	require.Len(t, said, 3)
	require.Equal(t, "CREDITD_ROOT_KEY_FILE: every user of this machine can read "+rootKey+"; take that right away with: chmod o= '"+rootKey+"'", said[0])
	require.Contains(t, said[1], "CREDITD_GOSSIP_KEY_FILE: ")
	require.Contains(t, said[2], "CREDITD_TLS_KEY: ")
}

// TestConfig_WarnsOfWhatOtherUsersCanDo: a data directory that is open to others, and a root key in the process list.
func TestConfig_WarnsOfWhatOtherUsersCanDo(t *testing.T) {
	dir := t.TempDir()
	warned := func(c command, env map[string]string, args ...string) string {
		flags := &cobra.Command{}
		set := settings.New(flags)
		c.bind(set)
		require.NoError(t, flags.ParseFlags(args))
		set.Resolve(func(name string) (string, bool) { value, ok := env[name]; return value, ok })
		c.check(here(nil), set)
		return strings.Join(set.Warnings(), "; ")
	}
	for mode, says := range map[os.FileMode]string{
		0o700: "", 0o750: "",
		0o755: "CREDITD_DATA_DIR: every user of this machine can read " + dir + "; take that right away with: chmod o= '" + dir + "'",
		0o777: "CREDITD_DATA_DIR: other users of this machine can change " + dir + "; take that right away with: chmod go= '" + dir + "'",
		0o770: "CREDITD_DATA_DIR: other users of this machine can change " + dir + "; take that right away with: chmod go= '" + dir + "'",
	} {
		require.NoError(t, os.Chmod(dir, mode))
		for _, c := range []command{newServer(), newDev()} {
			require.Equal(t, says, warned(c, map[string]string{"CREDITD_DATA_DIR": dir}), "%T with %o", c, mode)
		}
	}
	require.Empty(t, warned(newDev(), map[string]string{"CREDITD_ROOT_KEY": "secret"}))
	require.Equal(t, "--root-key: every user of this machine can see it in the process list; use CREDITD_ROOT_KEY instead",
		warned(newDev(), nil, "--root-key", "secret"))
}

func TestConfig_ReadsNoHugeKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "huge")
	write(t, path, "")
	require.NoError(t, os.Truncate(path, 1<<20))
	_, err := readSecretFile(path)
	require.ErrorContains(t, err, "too many for a key file")
}
