package cluster_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster"
	"github.com/creditd/creditd/cluster/replica"
	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/store"
)

// BenchmarkCharge is the engine without HTTP: durable charges by many callers on one node, for both log stores.
func BenchmarkCharge(b *testing.B) {
	for _, kind := range []store.LogKind{store.LogBolt, store.LogWAL} {
		for _, callers := range []int{1, 64, 1024} {
			b.Run(fmt.Sprintf("%s/callers=%d", kind, callers), func(b *testing.B) {
				benchmarkCharge(b, kind, callers, (*cluster.Node).Execute)
			})
		}
	}
}

// BenchmarkExactlyOnce is the cost of retransmissions: call ids, and idempotency records.
func BenchmarkExactlyOnce(b *testing.B) {
	const callers = 64
	b.Run("unnumbered", func(b *testing.B) { benchmarkCharge(b, store.LogWAL, callers, (*cluster.Node).ExecuteUnnumbered) })
	b.Run("session", func(b *testing.B) { benchmarkCharge(b, store.LogWAL, callers, (*cluster.Node).Execute) })
	b.Run("session and Idempotency-Key", func(b *testing.B) {
		var names atomic.Uint64
		benchmarkCharge(b, store.LogWAL, callers, func(n *cluster.Node, ctx context.Context, call fsm.Call) (fsm.Result, uint64, error) {
			if _, charge := call.Command.(*fsm.VerifyKey); charge {
				call.Idempotency = &fsm.Idempotency{}
				binary.LittleEndian.PutUint64(call.Idempotency.Key[:], names.Add(1))
			}
			return n.Execute(ctx, call)
		})
	})
}

// execute is Node.Execute, or stands in for it.
type execute = func(n *cluster.Node, ctx context.Context, call fsm.Call) (fsm.Result, uint64, error)

func benchmarkCharge(b *testing.B, kind store.LogKind, callers int, execute execute) {
	n := benchmarkNode(b, kind)
	const keys = 1000
	ctx := context.Background()
	do := func(c fsm.Command) {
		_, _, err := n.Execute(ctx, fsm.Call{Actor: fsm.Hash{1}, Command: c})
		require.NoError(b, err)
	}
	do(&fsm.CreateAPI{ID: "api_1", KeyspaceID: "ks_1", Name: "api"})
	for i := range keys {
		do(&fsm.CreateKey{ID: "key_" + strconv.Itoa(i), Hash: fsm.Hash{2, byte(i), byte(i >> 8)}, APIID: "api_1", Enabled: true,
			Expires: fsm.Never, Credits: fsm.NewCredits{Limited: true, Remaining: 1 << 60}})
	}
	b.ResetTimer()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				k := i % keys
				_, _, err := execute(n, ctx, fsm.Call{
					Actor: fsm.Hash{1}, Command: &fsm.VerifyKey{Hash: fsm.Hash{2, byte(k), byte(k >> 8)}, Cost: 1},
				})
				if err != nil {
					panic(err)
				}
			}
		}()
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "charges/s")
}

func benchmarkNode(b *testing.B, kind store.LogKind) *cluster.Node {
	s, err := store.Open(store.Options{Dir: b.TempDir(), LogStore: kind, Reads: replica.Reads("test")})
	require.NoError(b, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	conf := cluster.DefaultConfig()
	conf.Store, conf.PeerListener, conf.BootstrapExpect = s, l, 1
	conf.Founding = fsm.Bootstrap{ClusterID: "cl_1", WorkspaceID: "ws_1", RootKeyID: "key_root", RootKeyHash: fsm.Hash{1}}
	if v := os.Getenv("CREDITD_BENCH_INFLIGHT"); v != "" {
		conf.Batch.MaxInFlight, err = strconv.Atoi(v)
		require.NoError(b, err)
	}
	n, err := cluster.New(conf)
	require.NoError(b, err)
	require.NoError(b, n.Start())
	b.Cleanup(func() { require.NoError(b, n.Close(context.Background())) })
	require.Eventually(b, func() bool { return n.Ready() == nil }, 10*time.Second, time.Millisecond)
	return n
}
