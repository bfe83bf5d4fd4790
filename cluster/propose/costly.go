package propose

import (
	"context"
	"math"
	"time"

	"github.com/creditd/creditd/cluster/batch"
	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/turns"
	"github.com/creditd/creditd/fsm"
)

const (
	// CostlyBytes is from what size on a command takes a turn before the leader decodes and checks it.
	CostlyBytes = 8 << 10
	// costlyWork is from what estimate on: a hundredth of an entry, or the work of six changes of small records.
	costlyWork = fsm.MaxEntryWork / 100
	anyWork    = fsm.Work(math.MaxInt)
	// unitOfWork is what a unit of work costs this node: see fsm.Work. It is applied in a quarter of that time. Examining the call, the entry and
	// its bytes, and writing the records into the next snapshot took three times as long in profiles.
	unitOfWork = 4 * 100 * time.Nanosecond
)

// TakeTurn waits until the workspace of a root key may compute: see package turns.
func (p *Proposer) TakeTurn(ctx context.Context, actor fsm.Hash) (*turns.Turn, error) {
	return p.conf.Turns.Take(ctx, p.conf.Ledger.Workspace(actor))
}

// admitCheap gives a call to the batcher, unless it is costly.
func (p *Proposer) admitCheap(b *batch.Batcher, call fsm.Call, size int, retransmission bool, deadline time.Time, w batch.Waiter) bool {
	if size > CostlyBytes {
		return false
	}
	unchanging, work := p.examineCheap(call, retransmission)
	if work > costlyWork {
		return false
	}
	b.Queue(call, size, unchanging, work, deadline, w)
	return true
}

// examineCheap is examine with a copy of the call that was used before: the ledger takes a pointer, which would put each call on the heap.
func (p *Proposer) examineCheap(call fsm.Call, retransmission bool) (unchanging bool, work fsm.Work) {
	examined, ok := p.examined.Get().(*fsm.Call)
	if !ok {
		examined = new(fsm.Call)
	}
	*examined = call
	unchanging, work = p.examine(examined, retransmission, costlyWork)
	*examined = fsm.Call{}
	p.examined.Put(examined)
	return unchanging, work
}

// admitCostly takes a turn, examines the call and gives it to the batcher. The turn pays for what applying the call is estimated to take.
func (p *Proposer) admitCostly(ctx context.Context, b *batch.Batcher, call fsm.Call, size int, retransmission bool, deadline time.Time, w batch.Waiter) {
	turn, err := p.TakeTurn(ctx, call.Actor)
	if err != nil {
		w.Answer(batch.Answer{Err: err})
		return
	}
	unchanging, work := p.examine(&call, retransmission, anyWork)
	if unchanging && work > costlyWork {
		turn.End()
		if turn = p.answerCostly(ctx, b, &call, deadline, w); turn == nil {
			return
		}
		unchanging = false // by now it changes something
	}
	if !unchanging {
		turn.Charge(time.Duration(work) * unitOfWork)
	}
	b.Queue(call, size, unchanging, work, deadline, w)
	turn.End()
}

// answerCostly answers a call that changes nothing, as the batcher would, but with a turn: on the batcher's goroutine everybody's answers would
// wait for it. A turn that it returns is for the caller: the call would change something by now, and was not answered.
func (p *Proposer) answerCostly(ctx context.Context, b *batch.Batcher, call *fsm.Call, deadline time.Time, w batch.Waiter) *turns.Turn {
	read := p.takeWaiter()
	b.Read(deadline, read)
	fresh, answered := p.await(ctx, read)
	if !answered {
		fresh.Err = fault.Wrap(fault.TimedOut, "The deadline passed before the request was executed", fresh.Err)
	}
	if fresh.Err != nil {
		w.Answer(batch.Answer{Err: fresh.Err})
		return nil
	}
	turn, err := p.TakeTurn(ctx, call.Actor)
	if err != nil {
		w.Answer(batch.Answer{Err: err})
		return nil
	}
	result, unchanging := p.peek(call)
	if !unchanging {
		return turn
	}
	index := p.conf.Ledger.Index()
	turn.End()
	w.Answer(batch.Answer{Result: result, Index: index})
	return nil
}
