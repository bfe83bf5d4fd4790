package batch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// from is a call of a workspace.
func from(workspace byte, id string) fsm.Call {
	c := call(id)
	c.Actor = fsm.Hash{workspace}
	return c
}

// startWeighed is start with calls whose work is the length of their id, times 100.
func startWeighed(t *testing.T, conf batch.Config, l batch.Log) *batch.Batcher {
	b := batch.New(conf, l, batch.Ledger{
		Peek: changing, Examine: examining(changing, func(c *fsm.Call) fsm.Work { return 100 * fsm.Work(len(c.Command.(*fsm.DeleteKey).KeyID)) }),
		Workspace: func(actor fsm.Hash) string { return string(actor[:1]) },
	})
	t.Cleanup(b.Abandon)
	return b
}

func ids(e *fakeEntry) (all []string) {
	for _, c := range e.calls {
		all = append(all, c.Command.(*fsm.DeleteKey).KeyID)
	}
	return all
}

// A workspace that sends much has its requests served beside those of others, not before them.
func TestBatcher_SmallRequestsPassTheBacklogOfAnotherWorkspace(t *testing.T) {
	l := newFakeLog()
	b := startWeighed(t, batch.Config{MaxWork: 4000}, l)
	w := waiter{make(chan batch.Answer, 1000)}
	b.Execute(from('a', "under way"), 1, false, time.Time{}, w)
	e := l.next(t)
	large := strings.Repeat("x", 100) // 10,000 of work: an entry of its own
	for range 50 {
		b.Execute(from('a', large), 1, false, time.Time{}, w)
	}
	for i := range 3 {
		b.Execute(from('b', fmt.Sprint(i)), 1, false, time.Time{}, w)
	}
	e.settle(nil)
	e = l.next(t)
	require.Equal(t, []string{"0", "1", "2"}, ids(e), "all that fits, and nothing of the backlog with it")

	// They do not starve the backlog either: an entry takes time, however little is in it.
	entries := 0
	for ids(e)[0] != large {
		require.Less(t, entries, 12)
		entries++
		b.Execute(from('b', "more"), 1, false, time.Time{}, w)
		e.settle(nil)
		e = l.next(t)
	}
	require.Greater(t, entries, 1)
	e.settle(nil)
}

func TestBatcher_SharesEntriesByWork(t *testing.T) {
	l := newFakeLog()
	b := startWeighed(t, batch.Config{MaxWork: 8000}, l)
	w := waiter{make(chan batch.Answer, 1000)}
	b.Execute(from('a', "under way"), 1, false, time.Time{}, w)
	e := l.next(t)
	const each = 120
	for i := range each {
		b.Execute(from('a', fmt.Sprintf("a%03d", i)), 1, false, time.Time{}, w) // 400 of work
		for j := range 2 {
			b.Execute(from('b', fmt.Sprintf("b%03d%03d", i, j)), 1, false, time.Time{}, w) // 700
		}
	}
	work := map[byte]int{}
	last := map[byte]string{}
	for range 20 {
		e.settle(nil)
		e = l.next(t)
		entry := 0
		for _, id := range ids(e) {
			require.Greater(t, id, last[id[0]], "the order of a workspace stays")
			last[id[0]] = id
			work[id[0]] += 100 * len(id)
			entry += 100 * len(id)
		}
		require.LessOrEqual(t, entry, 8000/4, "an entry is smaller while several workspaces wait")
	}
	require.InDelta(t, work['a'], work['b'], 1500)
	e.settle(nil)
}

// One workspace may fill half of the queue, and the next one half of what is left.
func TestBatcher_NoWorkspaceFillsTheQueueForAll(t *testing.T) {
	for _, conf := range []batch.Config{{MaxQueued: 64}, {MaxQueueBytes: 640}} {
		l := newFakeLog()
		b := start(t, conf, l, changing)
		w := waiter{make(chan batch.Answer, 1000)}
		b.Execute(from('a', "under way"), 1, false, time.Time{}, w)
		l.next(t)
		admitted := func(workspace byte) int {
			for n := range 100 {
				b.Execute(from(workspace, "x"), 10, false, time.Time{}, w)
				if len(w.answers) > 0 {
					require.Equal(t, fault.Overloaded, fault.KindOf((<-w.answers).Err))
					return n
				}
			}
			return 100
		}
		require.InDelta(t, 32, admitted('a'), 5, "a short queue does not ask whose its requests are")
		require.InDelta(t, 16, admitted('b'), 5)
		require.InDelta(t, 8, admitted('c'), 3)
	}
}

// Who waits in a lane is answered like everybody else when the term ends.
func TestBatcher_AnswersTheLanesWhenItIsClosed(t *testing.T) {
	l := newFakeLog()
	b := startWeighed(t, batch.Config{MaxWork: 100}, l)
	w := waiter{make(chan batch.Answer, 1000)}
	b.Execute(from('a', "x"), 1, false, time.Time{}, w)
	e := l.next(t)
	for i := range 10 {
		b.Execute(from('a'+byte(i%3), "x"), 1, false, time.Time{}, w)
	}
	b.Read(time.Time{}, w)
	e.settle(nil)
	e = l.next(t) // now there are lanes
	go b.Close()
	require.Eventually(t, func() bool {
		late := newWaiter()
		b.Execute(from('a', "late"), 1, false, time.Time{}, late)
		return len(late.answers) == 1
	}, 10*time.Second, time.Millisecond, "it refuses nobody")
	e.settle(nil)
	for range 11 + 1 {
		w.get(t)
	}
	w.requireNone(t)
	require.Zero(t, b.Queued())
}
