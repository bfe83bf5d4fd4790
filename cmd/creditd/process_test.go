package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "creditd-test-")
	if err == nil {
		defer func() { _ = os.RemoveAll(dir) }()
		binary, err = launch.Build{Race: launch.RaceEnabled, Version: "v1.2.3-test"}.Into(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// patience bounds every wait. It is generous: a busy machine is no failure.
const patience = 60 * time.Second

const testRootKey = launch.RootKey

// process is a creditd that was started.
type process struct {
	*launch.Process
	t              testing.TB
	stdout, stderr *transcript
}

// transcript collects what a process writes.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// start runs creditd with nothing of our environment but what programs need,
// and env. Whatever happens it is gone at the end of the test.
func start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	return startBinary(t, binary, env, args...)
}

func startBinary(t testing.TB, binary string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, stdout: &transcript{}, stderr: &transcript{}}
	var err error
	p.Process, err = launch.Start(launch.Command{Binary: binary, Args: args, Env: env, Stdout: p.stdout, Stderr: p.stderr})
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("creditd %v\nstdout:\n%s\nstderr:\n%s", args, p.stdout, p.stderr)
		}
	})
	return p
}

// runs starts creditd, waits for its end, and returns its exit code.
func runs(t testing.TB, env []string, args ...string) (p *process, code int) {
	t.Helper()
	p = start(t, env, args...)
	return p, p.wait()
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.Signal(s))
}

// wait returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.Ended():
		return p.State().ExitCode()
	case <-time.After(patience):
		p.t.Fatal("creditd did not end")
		return 0
	}
}

// terminate stops the process as an orchestrator would and expects success.
func (p *process) terminate() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	require.Equal(p.t, exitDone, p.wait())
}

// await waits until the transcript matches and returns the groups.
func (p *process) await(t *transcript, pattern string) []string {
	p.t.Helper()
	expression := regexp.MustCompile(pattern)
	var found []string
	await(p.t, func() bool {
		if found = expression.FindStringSubmatch(t.String()); found != nil {
			return true
		}
		select {
		case <-p.Ended():
			p.t.Fatalf("creditd ended with %d before it wrote %q", p.State().ExitCode(), pattern)
		default:
		}
		return false
	})
	return found
}

// await waits for a condition.
func await(t testing.TB, condition func() bool) {
	t.Helper()
	deadline, poll := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer poll.Stop()
	for !condition() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatal("the condition was not met in time")
		}
	}
}

// freeAddress returns a loopback address whose port is free for TCP and UDP, and another one with each call.
func freeAddress(t testing.TB) string {
	t.Helper()
	addrs, err := launch.FreeAddrs(1)
	require.NoError(t, err)
	return addrs[0]
}

// alone are the arguments of a cluster of one, at free ports.
func alone(t testing.TB, dir string, more ...string) []string {
	t.Helper()
	return append([]string{
		"server", "--data-dir", dir, "--bootstrap-expect", "1", "--http-addr", "127.0.0.1:0",
		"--peer-addr", freeAddress(t), "--gossip-addr", freeAddress(t),
		"--heartbeat-timeout", "200ms", "--election-timeout", "200ms",
	}, more...)
}

// startMember starts a member and waits until it is ready.
func startMember(t testing.TB, args ...string) (*process, *client.Client) {
	t.Helper()
	p := start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey}, args...)
	p.await(p.stderr, `msg=ready`)
	return p, p.client(testRootKey)
}

// client talks to a server, whose HTTP port is in its log.
func (p *process) client(rootKey string) *client.Client {
	p.t.Helper()
	address := p.await(p.stderr, `msg=started .*http=(\S+)`)[1]
	return client.New(client.Config{Node: "http://" + address, RootKey: rootKey, Timeout: patience})
}

// must calls an endpoint that has to succeed.
func must[T any](t testing.TB, c *client.Client, endpoint string, request any) (result T) {
	t.Helper()
	require.NoError(t, c.Call(context.Background(), endpoint, request, &result).Err)
	return result
}

type object = map[string]any

// addCustomer makes an identity with credits and returns a key that spends them.
func addCustomer(t testing.TB, c *client.Client, name string, credits int64) (key string) {
	t.Helper()
	api := must[object](t, c, "apis.createApi", object{"name": "tests"})
	must[object](t, c, "identities.createIdentity", object{"externalId": name, "credits": object{"remaining": credits}})
	return must[object](t, c, "keys.createKey", object{"apiId": api["apiId"], "externalId": name})["key"].(string)
}

func balance(t testing.TB, c *client.Client, name string) int64 {
	t.Helper()
	identity := must[struct {
		Credits struct {
			Remaining int64 `json:"remaining"`
		} `json:"credits"`
	}](t, c, "identities.getIdentity", object{"identity": name})
	return identity.Credits.Remaining
}

func statusOf(t testing.TB, url string) int {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
