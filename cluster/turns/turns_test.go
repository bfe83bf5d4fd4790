package turns_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/turns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func take(t *testing.T, ts *turns.Turns, workspace string) *turns.Turn {
	t.Helper()
	turn, err := ts.Take(t.Context(), workspace)
	require.NoError(t, err)
	return turn
}

// awaitWaiting waits until a number of requests wait.
func awaitWaiting(t *testing.T, ts *turns.Turns, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return ts.Stats().Waiting == n }, 10*time.Second, time.Millisecond)
}

// A workspace with many costly requests and one with a few take turns alternately, and never more than there are slots.
func TestTurns_AreFairBetweenWorkspaces(t *testing.T) {
	ts := turns.New(turns.Config{Slots: 1, MaxWait: time.Minute})
	first := take(t, ts, "a")
	var mu sync.Mutex
	var order []string
	var all sync.WaitGroup
	line := func(workspace string) {
		all.Go(func() {
			turn := take(t, ts, workspace)
			mu.Lock()
			order = append(order, workspace)
			mu.Unlock()
			for began := time.Now(); time.Since(began) < time.Millisecond; { // a turn is for computing
			}
			turn.End()
		})
	}
	for range 20 {
		line("a")
	}
	awaitWaiting(t, ts, 20)
	line("b")
	line("b")
	awaitWaiting(t, ts, 22)
	first.End()
	all.Wait()
	at := map[string][]int{}
	for i, workspace := range order {
		at[workspace] = append(at[workspace], i)
	}
	require.LessOrEqual(t, at["b"][0], 1, "%v", order)
	require.LessOrEqual(t, at["b"][1], 12, "%v", order)
	require.EqualValues(t, 23, ts.Stats().Taken)
	require.EqualValues(t, 22, ts.Stats().Waits)
}

// A turn counts as longer by what its holder has others do: its workspace waits, and the slot rests.
func TestTurns_CountWhatIsCharged(t *testing.T) {
	ts := turns.New(turns.Config{Slots: 1, MaxWait: time.Minute})
	first := take(t, ts, "a")
	var mu sync.Mutex
	var order string
	var all sync.WaitGroup
	for _, workspace := range []string{"a", "a", "b", "b", "b"} {
		before := ts.Stats().Waiting
		all.Go(func() {
			turn := take(t, ts, workspace)
			mu.Lock()
			order += workspace
			mu.Unlock()
			turn.End()
		})
		awaitWaiting(t, ts, before+1)
	}
	first.Charge(time.Hour)
	first.End()
	all.Wait()
	require.Equal(t, "bbbaa", order)
}

func TestTurns_RefuseWhoWaitsTooLong(t *testing.T) {
	ts := turns.New(turns.Config{Slots: 1, MaxWait: 10 * time.Millisecond})
	held := take(t, ts, "a")
	_, err := ts.Take(t.Context(), "b")
	require.Equal(t, fault.Overloaded, fault.KindOf(err))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ts.Take(ctx, "b")
	require.Equal(t, fault.TimedOut, fault.KindOf(err))
	held.End()
	require.Eventually(t, func() bool { // after the pause
		turn, err := ts.Take(t.Context(), "b")
		turn.End()
		return err == nil
	}, 10*time.Second, time.Millisecond, "who went away holds no slot")
	require.Zero(t, ts.Stats().Waiting)
}

// The line is bounded, and one workspace gets half of what the others leave of it.
func TestTurns_BoundTheLine(t *testing.T) {
	ts := turns.New(turns.Config{Slots: 1, MaxWait: time.Minute, MaxWaiting: 8})
	held := take(t, ts, "a")
	var all sync.WaitGroup
	wait := func(workspace string) {
		all.Go(func() {
			turn, err := ts.Take(context.Background(), workspace)
			if err == nil {
				turn.End()
			}
		})
	}
	for range 4 {
		wait("a")
	}
	awaitWaiting(t, ts, 4)
	_, err := ts.Take(t.Context(), "a")
	require.Equal(t, fault.Overloaded, fault.KindOf(err))
	wait("b")
	wait("b")
	awaitWaiting(t, ts, 6)
	_, err = ts.Take(t.Context(), "b")
	require.Equal(t, fault.Overloaded, fault.KindOf(err))
	require.EqualValues(t, 2, ts.Stats().Refused)
	held.End()
	all.Wait()
}

// Slots are all there are, whoever asks how often.
func TestTurns_NeverMoreThanSlots(t *testing.T) {
	ts := turns.New(turns.Config{Slots: 2, MaxWait: time.Minute})
	var mu sync.Mutex
	now, most := 0, 0
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				turn := take(t, ts, string(rune('a'+i%3)))
				mu.Lock()
				now++
				most = max(most, now)
				mu.Unlock()
				mu.Lock()
				now--
				mu.Unlock()
				turn.End()
			}
		})
	}
	all.Wait()
	require.LessOrEqual(t, most, 2)
	require.EqualValues(t, 400, ts.Stats().Taken)
}
