package replica

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// BenchmarkStart is what a node with a million keys that have balances does before it serves: it opens the directory, which checks it, and loads
// the snapshot. As in a node that starts, nothing is collected meanwhile.
func BenchmarkStart(b *testing.B) {
	const keys = 1_000_000
	dir := b.TempDir()
	s, err := store.Open(store.Options{Dir: dir, Reads: Reads("test")})
	require.NoError(b, err)
	r := &rig{tb: b, replica: newReplica(), store: s}
	r.replica.raise = s.RaiseLedgerVersion
	r.fill(keys)
	r.snapshot()
	require.NoError(b, s.Close())
	r.replica = nil
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for b.Loop() {
		b.StopTimer()
		runtime.GC()
		b.StartTimer()
		var preloaded Preloaded
		r.store, err = store.Open(store.Options{Dir: dir, Reads: Reads("test"), Load: preloaded.Load})
		require.NoError(b, err)
		to := newReplica()
		to.preloaded = &preloaded
		r.restoreInto(to)
		require.NoError(b, r.store.Close())
	}
}
