package main

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
)

// TestDrain_ServesOnWhileItIsNotReady: whoever follows /readyz has the whole delay to turn away, on old connections and on new ones.
func TestDrain_ServesOnWhileItIsNotReady(t *testing.T) {
	t.Parallel()
	p, c := startMember(t, alone(t, filepath.Join(t.TempDir(), "data"), "--drain-delay", "10m")...)
	p.signal(syscall.SIGTERM)
	await(t, func() bool { return statusOf(t, c.Node()+"/readyz") == http.StatusServiceUnavailable })
	response, err := http.Get(c.Node() + "/healthz")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.False(t, response.Close, "connections stay open")
	must[object](t, c, "apis.createApi", object{"name": "tests"})
	must[object](t, p.client(testRootKey), "apis.createApi", object{"name": "tests"})
}

// follower is a client that sends its requests to nodes whose /readyz says yes, and sends none twice.
type follower struct {
	nodes    []*client.Client
	ready    []atomic.Bool
	answered atomic.Int64
}

// watch looks at one node until ctx ends.
func (f *follower) watch(ctx context.Context, i int) {
	for ctx.Err() == nil {
		status, _, err := f.nodes[i].Get(ctx, "/readyz")
		f.ready[i].Store(err == nil && status == http.StatusOK)
	}
}

// verify sends verifications until ctx ends, and returns the first that fails.
func (f *follower) verify(ctx context.Context, key string) error {
	for turn := 0; ctx.Err() == nil; turn++ {
		i := turn % len(f.nodes)
		if !f.ready[i].Load() {
			continue
		}
		if err := f.nodes[i].Call(context.Background(), "keys.verifyKey", object{"key": key}, nil).Err; err != nil {
			return err
		}
		f.answered.Add(1)
	}
	return nil
}

// TestDrain_ARollingRestartLosesNoRequest: each node stops in turn, the leader among them, while a client that follows /readyz debits. Every
// request is answered, and each is debited once.
func TestDrain_ARollingRestartLosesNoRequest(t *testing.T) {
	t.Parallel()
	c := startTrio(t)
	const credits = 1_000_000
	f := &follower{ready: make([]atomic.Bool, len(c.nodes))}
	for _, p := range c.nodes {
		f.nodes = append(f.nodes, p.client(testRootKey))
	}
	key := addCustomer(t, f.nodes[0], "customer", credits)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var running sync.WaitGroup
	for i := range f.nodes {
		running.Go(func() { f.watch(ctx, i) })
	}
	failed := make(chan error, 4)
	for range cap(failed) {
		running.Go(func() { failed <- f.verify(ctx, key) })
	}
	for i := range c.nodes {
		leads := must[api.Status](t, f.nodes[i], "cluster.getStatus", object{}).LeaderID == c.id(i)
		before := f.answered.Load()
		await(t, func() bool { return f.answered.Load() > before+20 })
		c.nodes[i].terminate()
		if leads {
			// On a busy machine the transfer may take longer than the node waits for it.
			require.Regexp(t, `(?s)msg=stopping.*msg="(another node takes over leadership|gave up transferring leadership)".*msg=stopped`, c.nodes[i].stderr.String())
		}
		c.start(i)
		c.nodes[i].await(c.nodes[i].stderr, `msg=ready`)
	}
	stop()
	running.Wait()
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
	require.Equal(t, credits-f.answered.Load(), balance(t, f.nodes[0], "customer"))
	c.stop()
}
