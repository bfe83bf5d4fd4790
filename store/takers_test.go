package store_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// A follower that is sent a copy needs what was written meanwhile, or it needs another copy, and so on for as long as there is load.
func TestCopy_KeepsTheLogForWhoTakesIt(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			full := false
			s := mustOpen(t, t.TempDir(), withLog(kind), func(o *store.Options) {
				o.ReserveBytes, o.FreeBytes = 100, func(string) (uint64, error) {
					if full {
						return 50, nil
					}
					return 1000, nil
				}
			})
			now := time.Unix(1000, 0)
			s.SetTakersClock(func() time.Time { return now })
			require.NoError(t, s.Log().StoreLogs(entries(1, 20, 2)))
			snapshot(t, s, 20, map[string]string{"a": "1"})
			_, r := openOnly(t, s)
			_, err := io.Copy(io.Discard, r)
			require.NoError(t, err)
			require.NoError(t, s.Log().StoreLogs(entries(21, 90, 2)))
			require.NoError(t, s.Log().DeleteRange(1, 80))
			requireLog(t, s.Log(), 20, 90)
			now = now.Add(time.Minute)
			require.NoError(t, s.Log().DeleteRange(20, 80))
			requireLog(t, s.Log(), 20, 90)
			require.NoError(t, r.Close())

			now = now.Add(time.Minute)
			require.NoError(t, s.Log().DeleteRange(20, 70))
			requireLog(t, s.Log(), 20, 90)
			require.NoError(t, s.Log().DeleteRange(85, 90), "what contradicts the leader goes in any case")
			requireLog(t, s.Log(), 20, 84)
			now = now.Add(time.Nanosecond)
			require.NoError(t, s.Log().DeleteRange(20, 70))
			requireLog(t, s.Log(), 71, 84)

			// Who only loads a snapshot needs nothing of this log, and a full disk comes first.
			_, r = openOnly(t, s)
			require.NoError(t, r.Close())
			require.NoError(t, s.Log().DeleteRange(71, 75))
			requireLog(t, s.Log(), 76, 84)
			_, r = openOnly(t, s)
			_, err = io.Copy(io.Discard, r)
			require.NoError(t, err)
			require.NoError(t, s.Log().DeleteRange(76, 80))
			requireLog(t, s.Log(), 76, 84)
			full = true
			require.Eventually(t, func() bool { return s.NoRoom() != nil }, 10*time.Second, time.Millisecond)
			require.NoError(t, s.Log().DeleteRange(76, 80))
			requireLog(t, s.Log(), 81, 84)
			require.NoError(t, r.Close())
		})
	}
}
