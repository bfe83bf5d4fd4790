package store

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

// The sizes follow the log through everything that raft does to it, and through a restart.
func TestLogSizes_FollowTheLog(t *testing.T) {
	for _, row := range []struct {
		kind     LogKind
		restarts bool // a log without its beginning needs a snapshot to start with
	}{{LogBolt, false}, {LogBolt, true}, {LogWAL, false}, {LogWAL, true}} {
		kind := row.kind
		t.Run(fmt.Sprintf("%+v", row), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			s, err := Open(Options{Dir: dir, LogStore: kind})
			require.NoError(t, err)
			rng := rand.New(rand.NewPCG(1, 2))
			check := func() {
				t.Helper()
				first, err := s.Log().FirstIndex()
				require.NoError(t, err)
				last, err := s.Log().LastIndex()
				require.NoError(t, err)
				var want, above uint64
				middle := (first + last) / 2
				for i := first; i != 0 && i <= last; i++ {
					var e raft.Log
					require.NoError(t, s.Log().GetLog(i, &e))
					want += uint64(sizeOfEntry(&e))
					if i > middle {
						above += uint64(sizeOfEntry(&e))
					}
				}
				total, got := s.sizes.above(middle)
				require.Equal(t, want, total)
				require.Equal(t, above, got)
				require.Equal(t, uint64(math.MaxUint64), s.NewestEntries(want))
				if n := last - middle; first != 0 && middle > first {
					require.Equal(t, n, s.NewestEntries(above))
				}
			}
			check()
			next := uint64(1)
			for range 40 {
				var entries []*raft.Log
				for range 1 + rng.IntN(5) {
					entries = append(entries, &raft.Log{Index: next, Term: 1, Data: make([]byte, rng.IntN(5000))})
					next++
				}
				require.NoError(t, s.Log().StoreLogs(entries))
				first, err := s.Log().FirstIndex()
				require.NoError(t, err)
				switch rng.IntN(5) {
				case 0: // a snapshot covers the beginning
					if row.restarts {
						continue
					}
					require.NoError(t, s.Log().DeleteRange(first, min(first+uint64(rng.IntN(8)), next-2)))
				case 1: // another leader replaces the end
					from := max(first+1, next-2)
					require.NoError(t, s.Log().DeleteRange(from, next-1))
					next = from
				}
				check()
			}
			require.NoError(t, s.Close())
			if !row.restarts {
				return
			}
			s, err = Open(Options{Dir: dir})
			require.NoError(t, err)
			check()
			require.NoError(t, s.Close())
		})
	}
}
