package batch_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/batch"
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
