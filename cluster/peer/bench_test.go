package peer

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkClient_Calls is the forwarding path: many callers, small commands,
// one connection. It reports calls per second over loopback.
func BenchmarkClient_Calls(b *testing.B) {
	for _, callers := range []int{1, 64, 1024} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			addr := serve(b, echo)
			c := newTestClient(b, addr, ClientConfig{})
			payload := make([]byte, 64)
			_, err := c.Call(context.Background(), 1, payload)
			require.NoError(b, err)

			var left atomic.Int64
			left.Store(int64(b.N))
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			b.ReportAllocs()
			b.ResetTimer()
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if _, err := c.Call(ctx, 1, payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
