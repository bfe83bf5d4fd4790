package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The table of a window is bounded: addresses without room share a count. The next window begins anew.
func TestFailures_AreBoundedInMemory(t *testing.T) {
	f, _ := newFailures(Config{FailedAuthentications: 5, Logger: slog.New(slog.DiscardHandler)})
	now := time.Unix(100, 0)
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255) }
	for i := range 2 * maxFailingAddresses {
		f.note(address(i), now)
	}
	require.LessOrEqual(t, len(f.counts), maxFailingAddresses+1)
	require.Zero(t, f.wait(address(0), now))
	require.Equal(t, failureWindow, f.wait(address(3*maxFailingAddresses), now), "it shares a count")
	now = now.Add(failureWindow)
	require.Zero(t, f.wait(address(3*maxFailingAddresses), now))
	f.note(address(0), now)
	require.Len(t, f.counts, 1)
	require.False(t, f.full.Load())
}

// An operator who is told of failing authentications looks for the address. The first that is refused is logged, and not again while it goes on.
func TestFailures_NameTheAddressOnce(t *testing.T) {
	var text bytes.Buffer
	f, _ := newFailures(Config{FailedAuthentications: 5, Logger: slog.New(slog.NewTextHandler(&text, nil))})
	now := time.Unix(100, 0)
	guess := func(remote string, times int) {
		for range times {
			f.note(remote, now)
		}
	}
	said := func() int { return strings.Count(text.String(), "unknown root key") }
	guess("10.0.0.1:1", 4)
	require.Zero(t, said())
	guess("10.0.0.1:2", 4)
	guess("10.0.0.2:1", 9)
	require.Equal(t, 1, said())
	require.Contains(t, text.String(), "level=WARN")
	require.Contains(t, text.String(), "from=10.0.0.1:2 ")
	for range 10 { // it goes on
		now = now.Add(failureWindow)
		guess("10.0.0.1:1", 9)
	}
	require.Equal(t, 1, said())
	now = now.Add(3 * failureWindow)
	guess("10.0.0.3:1", 9)
	require.Equal(t, 2, said(), "it was over")
}
