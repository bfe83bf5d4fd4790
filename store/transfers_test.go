package store_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// A follower that installs a snapshot needs the entries written meanwhile. Without them it would need another snapshot, and so on under load.
func TestTransfer_KeepsTheLogForTheFollower(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			full := false
			s := mustOpen(t, t.TempDir(), withLog(kind), func(o *store.Options) {
				o.ReserveBytes, o.FreeBytes = 128<<20, func(string) (uint64, error) {
					if full {
						return 50 << 20, nil
					}
					return 1 << 30, nil
				}
			})
			now := time.Unix(1000, 0)
			s.SetTransfersClock(func() time.Time { return now })
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
			require.NoError(t, s.Log().DeleteRange(85, 90), "entries that contradict the leader are always deleted")
			requireLog(t, s.Log(), 20, 84)
			now = now.Add(time.Nanosecond)
			require.NoError(t, s.Log().DeleteRange(20, 70))
			requireLog(t, s.Log(), 71, 84)

			// A reader that only loads the snapshot needs no log. On a full disk entries are deleted in any case.
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
			require.Eventually(t, func() bool { return s.DiskFull() != nil }, 10*time.Second, time.Millisecond)
			require.NoError(t, s.Log().DeleteRange(76, 80))
			requireLog(t, s.Log(), 81, 84)
			require.NoError(t, r.Close())
		})
	}
}
