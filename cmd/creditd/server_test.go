package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
)

// TestServer_RestartKeepsBalances: a planned stop loses nothing, with either log.
func TestServer_RestartKeepsBalances(t *testing.T) {
	for _, kind := range []string{"boltdb", "wal"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			args := alone(t, filepath.Join(t.TempDir(), "data"), "--log-store", kind)
			p, c := startMember(t, args...)
			key := addCustomer(t, c, "customer", 10)
			must[object](t, c, "keys.verifyKey", object{"key": key})
			p.terminate()

			p, c = startMember(t, args...)
			require.EqualValues(t, 9, balance(t, c, "customer"))
			require.Equal(t, 8.0, must[object](t, c, "keys.verifyKey", object{"key": key})["credits"])
			p.terminate()
		})
	}
}

// TestServer_KillKeepsAcknowledgedCharges: an acknowledged debit survives kill -9. A debit without an answer may have happened or not.
func TestServer_KillKeepsAcknowledgedCharges(t *testing.T) {
	t.Parallel()
	const credits, clients, enough = 1_000_000, 16, 500
	args := alone(t, filepath.Join(t.TempDir(), "data"))
	p, c := startMember(t, args...)
	key := addCustomer(t, c, "customer", credits)

	var acknowledged, sent atomic.Int64
	var charging sync.WaitGroup
	for range clients {
		charging.Go(func() {
			for {
				sent.Add(1)
				if c.Call(context.Background(), "keys.verifyKey", object{"key": key}, nil).Err != nil {
					return // the node is gone
				}
				acknowledged.Add(1)
			}
		})
	}
	await(t, func() bool { return acknowledged.Load() >= enough })
	p.Kill()
	charging.Wait()

	p, c = startMember(t, args...)
	charged := credits - balance(t, c, "customer")
	require.GreaterOrEqual(t, charged, acknowledged.Load())
	require.LessOrEqual(t, charged, sent.Load())
	p.terminate()
}

// TestServer_StopFinishesRequestsUnderWay: a request that was accepted is answered, new ones are not taken.
func TestServer_StopFinishesRequestsUnderWay(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"))...)
	require.Equal(t, http.StatusOK, statusOf(t, c.Node()+"/readyz"))
	finish := openRequest(t, c)

	p.signal(syscall.SIGTERM)
	p.await(p.stderr, `msg=stopping`)
	await(t, func() bool {
		_, err := net.Dial("tcp", strings.TrimPrefix(c.Node(), "http://"))
		return err != nil
	})
	require.Equal(t, http.StatusOK, finish())
	require.Equal(t, exitDone, p.wait())
	require.Contains(t, p.stderr.String(), "msg=stopped")
}

// TestServer_ImpatientStopCutsOff: a client that never finishes does not hold the node.
func TestServer_ImpatientStopCutsOff(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"), "--shutdown-timeout", "100ms")...)
	openRequest(t, c)
	p.terminate()
	require.Contains(t, p.stderr.String(), "requests were cut off")
}

// TestServer_WaitingNodeSaysSoAndStops: without its peers a node serves its probes, and still obeys.
func TestServer_WaitingNodeSaysSoAndStops(t *testing.T) {
	t.Parallel()
	p := start(t, nil, alone(t, filepath.Join(t.TempDir(), "data"), "--bootstrap-expect", "3")...)
	c := p.client(testRootKey)
	require.Equal(t, http.StatusOK, statusOf(t, c.Node()+"/healthz"))
	require.Equal(t, http.StatusServiceUnavailable, statusOf(t, c.Node()+"/readyz"))
	p.terminate()
	require.Empty(t, p.stdout.String())
}

func TestServer_SecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"), "--shutdown-timeout", "10m")...)
	openRequest(t, c)
	p.signal(os.Interrupt)
	p.await(p.stderr, `msg=stopping`)
	p.signal(os.Interrupt)
	require.Equal(t, exitFailed, p.wait())
	require.Contains(t, p.stderr.String(), "a second signal")
}

// TestServer_HangupKeepsSettings: service managers send SIGHUP to ask for a reload. The node says what it makes of it, and goes on.
func TestServer_HangupKeepsSettings(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"))...)
	p.signal(syscall.SIGHUP)
	p.await(p.stderr, `level=INFO msg="SIGHUP: certificates are loaded again; restart the node`)
	status := must[api.Status](t, c, "cluster.getStatus", object{})
	require.Equal(t, c.Node(), "http://"+status.Nodes[0].HTTPAddr)
	p.terminate()
}

// TestServer_NamesARootKeyWithoutEffect: a root key counts only when a cluster is founded. Whoever gives another one must learn that.
func TestServer_NamesARootKeyWithoutEffect(t *testing.T) {
	t.Parallel()
	const warning = "the cluster does not know this node's root key"
	args := alone(t, filepath.Join(t.TempDir(), "data"))
	p, _ := startMember(t, args...)
	p.terminate()
	require.NotContains(t, p.stderr.String(), warning)

	file := filepath.Join(t.TempDir(), "key")
	write(t, file, "another_key_of_some_length")
	require.NoError(t, os.Chmod(file, 0o644))
	p = start(t, nil, append(args, "--root-key-file", file)...)
	p.await(p.stderr, `level=WARN msg="`+warning)
	require.Contains(t, p.stderr.String(), "creditd: warning: --root-key-file: every user of this machine can read "+file)
	p.terminate()
}

// TestServer_MadeRootKeyIsShownOnce: there is no other way to learn it, and no other moment.
func TestServer_MadeRootKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	args := alone(t, filepath.Join(t.TempDir(), "data"))
	p := start(t, nil, args...)
	key := p.await(p.stdout, `root key of the new cluster, shown only now: (\S+)\n`)[1]
	require.NotContains(t, p.stderr.String(), key)
	must[object](t, p.client(key), "apis.createApi", object{"name": "tests"})
	p.terminate()

	p = start(t, nil, args...)
	p.await(p.stderr, `msg=ready`)
	must[object](t, p.client(key), "apis.createApi", object{"name": "tests"})
	p.terminate()
	require.Empty(t, p.stdout.String())
}

// TestServer_ShowsMetricsOfEveryPart: the ledger's and the process's beside those of the API.
func TestServer_ShowsMetricsOfEveryPart(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"))...)
	addCustomer(t, c, "customer", 10)
	text := metricsOf(t, c)
	for _, metric := range []string{"creditd_raft_leader 1", "creditd_ledger_keys 1", `version="v1.2.3-test"`, "go_goroutines ", "process_resident_memory_bytes "} {
		require.Contains(t, text, metric)
	}
	p.terminate()
}

// TestServer_SettingsFromFileAndEnvironment starts a node without a single flag.
func TestServer_SettingsFromFileAndEnvironment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "creditd.conf")
	write(t, file, fmt.Sprintf("# a node of its own\ndata-dir = %s\nbootstrap-expect = 1\nhttp-addr = 127.0.0.1:0\npeer-addr = %s\ngossip-addr = %s\nlog-format = text\nroot-key = %q\n",
		filepath.Join(dir, "data"), freeAddress(t), freeAddress(t), testRootKey))
	p := start(t, []string{"CREDITD_CONFIG=" + file, "CREDITD_LOG_FORMAT=json"}, "server")
	address := p.await(p.stderr, `"msg":"started".*"http":"([^"]+)"`)[1]
	p.await(p.stderr, `"msg":"ready"`)
	must[object](t, client.New(client.Config{Node: "http://" + address, RootKey: testRootKey, Timeout: patience}), "apis.createApi", object{"name": "tests"})
	p.terminate()
}

// TestServer_ClusterOfThree: one command line for all, encrypted on both ports, shown and steered by the operator's commands.
func TestServer_ClusterOfThree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	gossipKey := filepath.Join(dir, "gossip.key")
	write(t, gossipKey, "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
	gossip := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	var nodes []*process
	for i := range 3 {
		cert, key := ca.issue(t, fmt.Sprintf("node%d", i), "127.0.0.1")
		nodes = append(nodes, start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, "server",
			"--data-dir", filepath.Join(dir, fmt.Sprint(i)), "--bootstrap-expect", "3", "--join", strings.Join(gossip, ","),
			"--http-addr", "127.0.0.1:0", "--peer-addr", freeAddress(t), "--gossip-addr", gossip[i],
			"--gossip-key-file", gossipKey, "--tls-cert", cert, "--tls-key", key, "--tls-ca", ca.file))
	}
	for _, p := range nodes {
		p.await(p.stderr, `msg=ready`)
	}
	c := nodes[0].client(testRootKey)
	operator := []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_ADDR=" + c.Node()}

	var before api.Status
	await(t, func() bool {
		before = api.Status{}
		p, code := runs(t, operator, "cluster", "status", "-o", "json") // which fails without a leader, and shows what there is
		require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &before))
		voters := 0
		for _, n := range before.Nodes {
			if n.Voter && n.Health == "alive" && n.HTTPAddr != "" {
				voters++
			}
		}
		return voters == 3 && before.LeaderID != "" && code == exitDone
	})

	p, code := runs(t, operator, "cluster", "status")
	require.Equal(t, exitDone, code)
	require.Regexp(t, `(?m)^leader   `+before.LeaderID+`$`, p.stdout.String())
	require.Regexp(t, `(?m)^`+before.LeaderID+` +\S+ +leader +voter +alive +127.0.0.1:\d+ +127.0.0.1:\d+ +127.0.0.1:\d+ +\d+ +\d+ +0ms +[\d.]+GiB +[+-]\d+ms +[0-9a-f]+@\d+ +v1.2.3-test +1-\d+$`, p.stdout.String())

	var next string
	for _, n := range before.Nodes {
		if n.NodeID != before.LeaderID {
			next = n.NodeID
		}
	}
	_, code = runs(t, operator, "cluster", "transfer-leader", next)
	require.Equal(t, exitDone, code)
	await(t, func() bool { return must[api.Status](t, c, "cluster.getStatus", object{}).LeaderID == next })

	p, code = runs(t, operator, "rootkey", "create", "--name", "verifier", "--permission", "api.*.verify_key", "-o", "json")
	require.Equal(t, exitDone, code)
	var made createdRootKey
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &made))
	key := addCustomer(t, c, "customer", 10)
	verifier := nodes[2].client(made.Key)
	require.Equal(t, 9.0, must[object](t, verifier, "keys.verifyKey", object{"key": key})["credits"])
	require.ErrorContains(t, verifier.Call(context.Background(), "cluster.getStatus", object{}, nil).Err, "403")

	for _, p := range nodes {
		p.signal(syscall.SIGTERM)
	}
	for _, p := range nodes {
		require.Equal(t, exitDone, p.wait())
	}
}

// openRequest sends the header of a request and returns once a handler asks for the body. The function it returns sends
// that and returns the status of the answer.
func openRequest(t testing.TB, c *client.Client) (finish func() int) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.Node(), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	const body = `{"name":"tests"}`
	_, err = fmt.Fprintf(conn, "POST /v2/apis.createApi HTTP/1.1\r\nHost: tests\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", testRootKey, len(body))
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	status := func() int {
		response, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusContinue, status())
	return func() int {
		_, err := io.WriteString(conn, body)
		require.NoError(t, err)
		return status()
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func metricsOf(t testing.TB, c *client.Client) string {
	t.Helper()
	response, err := http.Get(c.Node() + "/metrics")
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return string(text)
}
