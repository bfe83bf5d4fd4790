package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// Entries of all sizes around those in which they are read come back as they were written, also after a restart and from a full segment. An entry
// behind one whose text looks like the header of another is among them.
func TestLog_ReadsEntriesOfAllSizes(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, withLog(store.LogWAL))
	random := rand.New(rand.NewPCG(1, 2))
	var written [][]byte
	write := func(size int) {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		written = append(written, data)
		require.NoError(t, s.Log().StoreLogs([]*raft.Log{{Index: uint64(len(written)), Term: 1, Type: raft.LogCommand, Data: data}}))
	}
	for _, around := range []int{1, 4 << 10, 64 << 10} {
		for size := max(1, around-80); size <= around+24; size++ {
			write(size)
		}
	}
	write(10 << 20)
	for range 6 {
		write(10 << 20) // the first segment is full
	}
	write(100)
	check := func() {
		for i, data := range written {
			var e raft.Log
			require.NoError(t, s.Log().GetLog(uint64(i+1), &e), "entry of %d bytes", len(data))
			require.Equal(t, data, e.Data)
		}
	}
	check()
	require.NoError(t, s.Close())
	s = mustOpen(t, dir)
	check()
}
