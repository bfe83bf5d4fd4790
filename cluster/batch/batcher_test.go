package batch_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog holds every entry back until the test settles it.
type fakeLog struct {
	mu      sync.Mutex
	entries []*fakeEntry
	refused int
	arrived chan *fakeEntry
}

func newFakeLog() *fakeLog { return &fakeLog{arrived: make(chan *fakeEntry, 1024)} }

type fakeEntry struct {
	calls []fsm.Call
	index uint64
	done  chan struct{}
	err   error
}

func (l *fakeLog) Propose(calls []fsm.Call) batch.Pending {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &fakeEntry{calls: slices.Clone(calls), index: uint64(len(l.entries) + 1), done: make(chan struct{})}
	l.entries = append(l.entries, e)
	l.arrived <- e
	return e
}

func (l *fakeLog) Refused() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused++
}

func (e *fakeEntry) settle(err error) {
	e.err = err
	close(e.done)
}

func (e *fakeEntry) Done() <-chan struct{} { return e.done }

// Results answers each deletion with the id of the key it names, so that a test sees whose answer it got.
func (e *fakeEntry) Results() ([]fsm.Result, uint64, error) {
	if e.err != nil {
		return nil, 0, e.err
	}
	results := make([]fsm.Result, len(e.calls))
	for i, c := range e.calls {
		results[i] = &fsm.Created{ID: c.Command.(*fsm.DeleteKey).KeyID}
	}
	return results, e.index, nil
}

func (l *fakeLog) next(t *testing.T) *fakeEntry {
	t.Helper()
	select {
	case e := <-l.arrived:
		return e
	case <-time.After(10 * time.Second):
		t.Fatal("no entry was proposed")
		return nil
	}
}

// waiter counts its answers.
type waiter struct{ answers chan batch.Answer }

func newWaiter() waiter { return waiter{make(chan batch.Answer, 2)} }

func (w waiter) Answer(a batch.Answer) { w.answers <- a }

func (w waiter) get(t *testing.T) batch.Answer {
	t.Helper()
	select {
	case a := <-w.answers:
		return a
	case <-time.After(10 * time.Second):
		t.Fatal("no answer")
		return batch.Answer{}
	}
}

func (w waiter) requireNone(t *testing.T) {
	t.Helper()
	require.Empty(t, w.answers)
}

func call(id string) fsm.Call { return fsm.Call{Command: &fsm.DeleteKey{KeyID: id}} }

func changing(*fsm.Call) (fsm.Result, bool) { return nil, false }

// examining is what a ledger says of a call before it is queued.
func examining(peek func(*fsm.Call) (fsm.Result, bool), work func(*fsm.Call) fsm.Work) func(*fsm.Call, bool) (bool, fsm.Work) {
	return func(call *fsm.Call, retransmission bool) (unchanging bool, _ fsm.Work) {
		if !retransmission {
			_, unchanging = peek(call)
		}
		return unchanging, work(call)
	}
}

func start(t *testing.T, conf batch.Config, l batch.Log, peek func(*fsm.Call) (fsm.Result, bool)) *batch.Batcher {
	b := batch.New(conf, l, batch.Ledger{
		Peek: peek, Examine: examining(peek, func(*fsm.Call) fsm.Work { return 100 }), Workspace: func(actor fsm.Hash) string { return string(actor[:1]) },
	})
	t.Cleanup(b.Abandon)
	return b
}

// Everything that waits while an entry is in flight becomes one entry: one fsync for all of it.
func TestBatcher_CoalescesWhatWaits(t *testing.T) {
	l := newFakeLog()
	b := start(t, batch.Config{MaxInFlight: 1}, l, changing)
	first := newWaiter()
	b.Execute(call("first"), 1, false, time.Time{}, first)
	e := l.next(t)
	waiters := make([]waiter, 100)
	for i := range waiters {
		waiters[i] = newWaiter()
		b.Execute(call(string(rune('a'+i))), 1, false, time.Time{}, waiters[i])
	}
	e.settle(nil)
	require.Equal(t, "first", first.get(t).Result.(*fsm.Created).ID)
	e = l.next(t)
	require.Len(t, e.calls, 100)
	e.settle(nil)
	for i, w := range waiters {
		a := w.get(t)
		require.Equal(t, string(rune('a'+i)), a.Result.(*fsm.Created).ID)
		require.Equal(t, uint64(2), a.Index)
		w.requireNone(t)
	}
}

func TestBatcher_BoundsAnEntryByCountBytesAndWork(t *testing.T) {
	for _, conf := range []batch.Config{{MaxInFlight: 1, MaxCalls: 10}, {MaxInFlight: 1, MaxBytes: 1000}, {MaxInFlight: 1, MaxWork: 1000}} {
		l := newFakeLog()
		b := start(t, conf, l, changing)
		w := waiter{make(chan batch.Answer, 100)}
		b.Execute(call("first"), 1, false, time.Time{}, w)
		e := l.next(t)
		for range 25 {
			b.Execute(call("x"), 100, false, time.Time{}, w)
		}
		var sizes []int
		for range 3 {
			e.settle(nil)
			e = l.next(t)
			sizes = append(sizes, len(e.calls))
		}
		e.settle(nil)
		require.Equal(t, []int{10, 10, 5}, sizes)
	}
}

// A single command above the limit still has to get through: it makes an entry of its own.
func TestBatcher_LetsOneLargeCallThrough(t *testing.T) {
	l := newFakeLog()
	b := start(t, batch.Config{MaxBytes: 10, MaxWork: 10}, l, changing)
	w := newWaiter()
	b.Execute(call("large"), 1000, false, time.Time{}, w)
	l.next(t).settle(nil)
	require.NoError(t, w.get(t).Err)
}

// A full queue refuses at once: the client backs off, and memory stays bounded.
func TestBatcher_RefusesAtOnceWhenFull(t *testing.T) {
	for _, conf := range []batch.Config{{MaxInFlight: 1, MaxQueued: 6}, {MaxInFlight: 1, MaxQueueBytes: 60}} {
		l := newFakeLog()
		b := start(t, conf, l, changing)
		b.Execute(call("under way"), 10, false, time.Time{}, newWaiter())
		l.next(t)
		for range 3 {
			b.Execute(call("waits"), 10, false, time.Time{}, newWaiter())
		}
		w := newWaiter()
		b.Execute(call("too many"), 10, false, time.Time{}, w)
		require.Equal(t, fault.Overloaded, fault.KindOf(w.get(t).Err))
		require.Equal(t, 1, l.refused)
	}
}

// Reads share the entry that was proposed after they arrived, never an older one.
func TestBatcher_AnswersReadsOnlyAfterALaterEntry(t *testing.T) {
	l := newFakeLog()
	b := start(t, batch.Config{MaxInFlight: 2}, l, changing)
	b.Execute(call("before"), 1, false, time.Time{}, newWaiter())
	before := l.next(t)
	reads := []waiter{newWaiter(), newWaiter()}
	for _, w := range reads {
		b.Read(time.Time{}, w)
	}
	after := l.next(t)
	require.Empty(t, after.calls)
	before.settle(nil)
	for _, w := range reads {
		w.requireNone(t)
	}
	after.settle(nil)
	rest := []*fakeEntry{}
	for len(reads[1].answers) == 0 {
		select {
		case e := <-l.arrived:
			rest = append(rest, e)
			e.settle(nil)
		case a := <-reads[1].answers:
			reads[1].answers <- a
		}
	}
	require.LessOrEqual(t, len(rest), 1)
	for _, w := range reads {
		a := w.get(t)
		require.NoError(t, a.Err)
		require.GreaterOrEqual(t, a.Index, uint64(2))
	}
}

// A flood of calls that change nothing costs one empty entry a round.
func TestBatcher_AnswersUnchangingCallsWithoutLoggingThem(t *testing.T) {
	l := newFakeLog()
	denied := &fsm.Verdict{Code: fsm.UsageExceeded}
	b := start(t, batch.Config{MaxInFlight: 1, MaxWork: 1_000_000}, l, func(*fsm.Call) (fsm.Result, bool) { return denied, true })
	b.Read(time.Time{}, newWaiter())
	e := l.next(t)
	waiters := make([]waiter, 1000)
	for i := range waiters {
		waiters[i] = newWaiter()
		b.Execute(call("denied"), 1, false, time.Time{}, waiters[i])
	}
	e.settle(nil)
	e = l.next(t)
	require.Empty(t, e.calls)
	e.settle(nil)
	for _, w := range waiters {
		require.Same(t, denied, w.get(t).Result)
	}
	require.Len(t, l.entries, 2)
}

// A denial counts only if it is still one after the check: a balance that was raised meanwhile is debited through the log.
func TestBatcher_LogsACallThatChangesSomethingAfterAll(t *testing.T) {
	l := newFakeLog()
	asked := 0
	b := start(t, batch.Config{}, l, func(*fsm.Call) (fsm.Result, bool) {
		asked++
		return &fsm.Verdict{}, asked == 1
	})
	w := newWaiter()
	b.Execute(call("topped up"), 1, false, time.Time{}, w)
	e := l.next(t)
	require.Empty(t, e.calls)
	e.settle(nil)
	e = l.next(t)
	require.Len(t, e.calls, 1)
	e.settle(nil)
	require.Equal(t, "topped up", w.get(t).Result.(*fsm.Created).ID)
}

// A retransmission must meet its first copy in the log: the current state knows nothing of a copy in flight.
func TestBatcher_LogsWhatIsSentAgain(t *testing.T) {
	l := newFakeLog()
	b := start(t, batch.Config{}, l, func(*fsm.Call) (fsm.Result, bool) { return &fsm.Verdict{}, true })
	w := newWaiter()
	b.Execute(call("again"), 1, true, time.Time{}, w)
	e := l.next(t)
	require.Len(t, e.calls, 1)
	e.settle(nil)
	require.Equal(t, "again", w.get(t).Result.(*fsm.Created).ID)
}

func TestBatcher_DropsWhatExpiredBeforeItWasProposed(t *testing.T) {
	l := newFakeLog()
	b := start(t, batch.Config{}, l, changing)
	w := newWaiter()
	b.Execute(call("late"), 1, false, time.Now().Add(-time.Second), w)
	require.Equal(t, fault.TimedOut, fault.KindOf(w.get(t).Err))
	require.Empty(t, l.entries)
}

// The outcome of an entry is the outcome of its calls. A read in it did nothing in any case.
func TestBatcher_TellsUnknownFromNotExecuted(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Unknown, fault.Unavailable} {
		l := newFakeLog()
		b := start(t, batch.Config{MaxInFlight: 1}, l, changing)
		b.Execute(call("first"), 1, false, time.Time{}, newWaiter())
		e := l.next(t)
		write, read := newWaiter(), newWaiter()
		b.Execute(call("x"), 1, false, time.Time{}, write)
		b.Read(time.Time{}, read)
		e.settle(nil)
		l.next(t).settle(fault.Wrap(kind, "lost", errors.New("test")))
		require.Equal(t, kind, fault.KindOf(write.get(t).Err))
		require.Equal(t, fault.Unavailable, fault.KindOf(read.get(t).Err))
	}
}

// A shutdown answers every request exactly once: in flight as unknown, queued as not executed.
func TestBatcher_AnswersEveryoneOnceWhenAbandoned(t *testing.T) {
	l := newFakeLog()
	b := start(t, batch.Config{MaxInFlight: 1}, l, changing)
	inFlight := newWaiter()
	b.Execute(call("under way"), 1, false, time.Time{}, inFlight)
	l.next(t)
	queued := make([]waiter, 50)
	for i := range queued {
		queued[i] = newWaiter()
		b.Execute(call("waits"), 1, false, time.Time{}, queued[i])
	}
	b.Abandon()
	require.Equal(t, fault.Unknown, fault.KindOf(inFlight.get(t).Err))
	for _, w := range queued {
		require.Equal(t, fault.Unavailable, fault.KindOf(w.get(t).Err))
		w.requireNone(t)
	}
	late := newWaiter()
	b.Execute(call("late"), 1, false, time.Time{}, late)
	require.Equal(t, fault.Unavailable, fault.KindOf(late.get(t).Err))
	b.Abandon()
}
