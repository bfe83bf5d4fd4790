package cluster_test

import (
	"context"
	"encoding/binary"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/clustertest"
	"github.com/creditd/creditd/fsm"
)

// namedAnswer is the answer to a call with an idempotency key.
type namedAnswer struct {
	verdict fsm.Verdict
	index   uint64
}

// chargeNamed debits a credit under an idempotency key. A replay returns the first answer.
func chargeNamed(t *testing.T, n *cluster.Node, name int) (a namedAnswer, repeated bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	call := fsm.Call{
		Actor: clustertest.RootKey, Command: &fsm.VerifyKey{Hash: fsm.Hash{byte(name%2 + 1)}, Cost: 1}, Idempotency: &fsm.Idempotency{Fingerprint: fsm.ShortHash{1}},
	}
	binary.BigEndian.PutUint32(call.Idempotency.Key[:], uint32(name))
	r, index, err := n.Execute(ctx, call)
	if err != nil {
		t.Errorf("call %d: %v", name, err)
		return a, false
	}
	if again, ok := r.(*fsm.IdempotentReplay); ok {
		r, index, repeated = again.Result, again.Index, true
	}
	return namedAnswer{*r.(*fsm.Verdict), index}, repeated
}

// Copies of one call, sent at once through every node while leaders change, debit once, and all get the same answer. So do copies that
// arrive after a node was restarted or has installed a snapshot. Contract 7.1.
func TestCluster_ChargesANamedCallOnce(t *testing.T) {
	const names, copies = 200, 4
	c := clustertest.New(t, 3, eager)
	seed(t, c, 0, 1<<40)
	var mu sync.Mutex
	answers, first := map[int]namedAnswer{}, map[int]int{}
	work := make(chan int)
	var clients sync.WaitGroup
	for client := range 24 {
		clients.Go(func() {
			for name := range work {
				a, repeated := chargeNamed(t, c.Nodes[client%3].Node, name)
				mu.Lock()
				if earlier, ok := answers[name]; ok && !reflect.DeepEqual(earlier, a) {
					t.Errorf("call %d was answered %+v and %+v", name, earlier, a)
				}
				answers[name] = a
				if !repeated {
					first[name]++
				}
				mu.Unlock()
			}
		})
	}
	for name := range names {
		if name%60 == 59 {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			require.NoError(t, c.Nodes[c.Follower()].TransferLeadership(ctx, ""))
			cancel()
		}
		for range copies {
			work <- name
		}
	}
	close(work)
	clients.Wait()
	require.Len(t, first, names)
	for name, times := range first {
		require.Equal(t, 1, times, "call %d was carried out more than once", name)
	}
	require.Equal(t, int64(1<<40-names), remaining(t, c, 0))

	same := func(at int) {
		t.Helper()
		for name := range names {
			a, repeated := chargeNamed(t, c.Nodes[at].Node, name)
			require.True(t, repeated)
			require.Equal(t, answers[name], a)
		}
	}
	// A node that was down installs a snapshot, and then leads.
	away := c.Follower()
	c.StopAbruptly(away)
	leader := c.Leader()
	for last, _ := c.Nodes[leader].Digest(); c.FirstLogIndex(leader) <= last; {
		spendOneByOne(t, c, leader, 50)
	}
	c.Start(away)
	c.WaitReady()
	c.WaitSameDigest()
	same(away)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, c.Nodes[away].TransferLeadership(ctx, c.Nodes[away].ID()))
	same(away)
	same(leader)

	for i := range c.Nodes {
		c.StopAbruptly(i)
	}
	for i := range c.Nodes {
		c.Start(i)
	}
	c.WaitReady()
	same(0)
	c.WaitSameDigest()
}
