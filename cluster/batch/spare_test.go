package batch_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/fsm"
)

// instantLog applies each entry at once.
type instantLog struct{ results []fsm.Result }

func (l *instantLog) Propose(calls []fsm.Call) batch.Pending { return l }

func (l *instantLog) Refused() {}

var closed = func() chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}()

func (l *instantLog) Done() <-chan struct{} { return closed }

func (l *instantLog) Results() ([]fsm.Result, uint64, error) { return l.results, 1, nil }

// countdown waits for many answers.
type countdown struct{ sync.WaitGroup }

func (w *countdown) Answer(batch.Answer) { w.Done() }

// A charge that waits for its entry is kept in arrays that earlier entries had: they were a tenth of the garbage of a charge.
func TestBatcher_UsesItsArraysAgain(t *testing.T) {
	const calls = 500
	l := &instantLog{results: make([]fsm.Result, 4096)}
	b := start(t, batch.Config{}, l, changing)
	var w countdown
	one := call("a")
	for _, unchanging := range []bool{false, true} {
		allocations := testing.AllocsPerRun(50, func() {
			w.Add(calls)
			for range calls {
				b.Queue(one, 1, unchanging, 1, time.Time{}, &w)
			}
			w.Wait()
		})
		require.Less(t, allocations, float64(calls)/10)
	}
}

// failingLog applies each entry later, and loses one in five.
type failingLog struct{ entries int }

func (*failingLog) Refused() {}

func (l *failingLog) Propose(calls []fsm.Call) batch.Pending {
	l.entries++
	e := &fakeEntry{calls: slices.Clone(calls), index: uint64(l.entries), done: make(chan struct{})}
	var err error
	if l.entries%5 == 0 {
		err = fault.New(fault.Unavailable, "lost")
	}
	go e.settle(err)
	return e
}

// Requests of all kinds share arrays, in and out of lanes. Each of them gets its own answer, once.
func TestBatcher_AnswersEachRequestItself(t *testing.T) {
	const callers, rounds, burst = 4, 60, 25
	b := start(t, batch.Config{MaxCalls: 20, MaxWork: 100}, new(failingLog), func(c *fsm.Call) (fsm.Result, bool) {
		id := c.Command.(*fsm.DeleteKey).KeyID
		return &fsm.Created{ID: id}, !strings.HasSuffix(id, "3") // by now it would change something
	})
	ask := func(caller, round, i int) (id string, w waiter) {
		id, w = fmt.Sprintf("%d.%d.%d", caller, round, i), newWaiter()
		c, deadline := call(id), time.Time{}
		c.Actor = fsm.Hash{byte(i % 3)}
		if i%11 == 0 {
			deadline = time.Unix(1, 0)
		}
		if i%7 == 0 {
			b.Read(deadline, w)
			return "", w
		}
		b.Queue(c, 1, i%2 == 0, fsm.Work((round%3)*(i%30)), deadline, w)
		return id, w
	}
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for round := range rounds {
				var ids []string
				var waiters []waiter
				for i := range burst {
					id, w := ask(caller, round, i)
					ids, waiters = append(ids, id), append(waiters, w)
				}
				for i, w := range waiters {
					a := <-w.answers
					created, _ := a.Result.(*fsm.Created)
					if a.Err == nil && (ids[i] == "") != (created == nil) || created != nil && created.ID != ids[i] {
						t.Errorf("%q was answered %+v", ids[i], a)
					}
				}
				for _, w := range waiters {
					if len(w.answers) > 0 {
						t.Error("a second answer")
					}
				}
			}
		})
	}
	all.Wait()
}
