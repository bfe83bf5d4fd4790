package store_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// A large change set copies the snapshot before it, which may be many times as large. That rests, too.
func TestSnapshot_RestsWhileItCopiesItsBase(t *testing.T) {
	s, err := store.OpenWithHooks(store.Options{Dir: t.TempDir()}, store.TestHooks{Spill: 64 << 10})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	snapshot(t, s, 10, numbered(0, 20_000, strings.Repeat("v", 200)))
	k := create(t, s, 20, 2)
	const changes = 1000
	for i := range changes {
		require.NoError(t, k.Put(fmt.Appendf(nil, "key-%06d", i), make([]byte, 200)))
	}
	calls := 0
	k.Pace(func() { calls++ })
	require.NoError(t, k.Close())
	size := s.Stats().StateBytes
	require.Greater(t, calls, changes/100+int(size)/(64<<10), "%d bytes", size)
}

// A copy for another node rests between pieces, by its own work. What the receiver takes is none.
func TestPacedCopy_RestsBetweenPieces(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	snapshot(t, s, 10, numbered(0, 20_000, strings.Repeat("v", 200)))
	list, err := s.Snapshots().List()
	require.NoError(t, err)
	meta, r, err := s.Snapshots().Open(list[0].ID)
	require.NoError(t, err)
	rests, most := 0, time.Duration(0)
	r.(store.PacedCopy).Pace(func(worked time.Duration) { rests, most = rests+1, max(most, worked) })
	began, waited := time.Now(), time.Duration(0)
	n, err := r.(io.WriterTo).WriteTo(slow(func() {
		from := time.Now()
		for time.Since(from) < 2*time.Millisecond {
		}
		waited += time.Since(from)
	}))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	require.Equal(t, meta.Size, n)
	require.GreaterOrEqual(t, rests, int(n)>>20)
	require.Less(t, most, time.Since(began)-waited+time.Millisecond, "the receiver's time is no work")
}

// slow is a receiver.
type slow func()

func (s slow) Write(p []byte) (int, error) {
	s()
	return len(p), nil
}
