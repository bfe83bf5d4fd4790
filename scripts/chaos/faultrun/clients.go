package faultrun

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/chaos/history"
	"github.com/creditd/creditd/scripts/launch"
)

const (
	callTimeout  = 10 * time.Second
	shortTimeout = 2500 * time.Millisecond
	refusedWait  = 10 * time.Millisecond // before the next call after one that a node did not execute
	maxCost      = 1000
	maxIncrement = 2400
)

// The mix keeps balances near zero, where denials are: increments give back nearly what debits take on average. Accounts that are
// reset have their share of that.
const (
	debitPercent     = 66
	incrementPercent = 22
	resetPercent     = 4 // each of set and decrement
)

// traffic is the load of a run and the record that it leaves.
type traffic struct {
	cluster  *launch.Cluster
	accounts []*account
	started  time.Time
	epochs   func(now time.Duration) (from, to int) // the accounts in use
	seed     uint64

	records []*record // one per client
	group   sync.WaitGroup
	cancel  context.CancelFunc
}

// record is what one client saw. It belongs to the client until the traffic has stopped.
type record struct {
	ops    []history.Operation                  // all but those not executed, which changed nothing
	counts [history.Kinds][history.Outcomes]int // by kind and outcome
	missed map[string]int                       // operations that were not answered, by what came instead
}

func (t *traffic) start(ctx context.Context, clients int) {
	ctx, t.cancel = context.WithCancel(ctx)
	for i := range clients {
		r := &record{missed: map[string]int{}}
		t.records = append(t.records, r)
		t.group.Go(func() { t.client(ctx, i, r) })
	}
}

// stop lets every client finish its call.
func (t *traffic) stop() {
	t.cancel()
	t.group.Wait()
}

func (t *traffic) client(ctx context.Context, number int, r *record) {
	random := rand.New(rand.NewPCG(t.seed, uint64(number)+1))
	// Half of the clients stay with one node whatever happens to it. The others go anywhere and are in a hurry.
	home, timeout := number/2%t.cluster.Size(), callTimeout
	if number%2 == 1 {
		home, timeout = launch.Anywhere, shortTimeout
	}
	caller := launch.NewClient(t.cluster.HTTPAddr(0), timeout)
	defer caller.Close()
	for ctx.Err() == nil {
		from, to := t.epochs(time.Since(t.started))
		op := history.Operation{Account: from + random.IntN(to-from), Client: number, Node: random.IntN(t.cluster.Size())}
		if home != launch.Anywhere {
			op.Node = home
		}
		t.operate(context.WithoutCancel(ctx), caller.At(t.cluster.HTTPAddr(op.Node)), random, &op)
		r.counts[op.Kind][op.Outcome]++
		if op.Outcome == history.NotExecuted || op.Outcome == history.Unknown {
			r.missed[whatCame(op)]++
		}
		if op.Outcome != history.NotExecuted {
			r.ops = append(r.ops, op)
			continue
		}
		_ = launch.Pause(ctx, refusedWait) // the loop sees the end of ctx
	}
}

// operate does one random operation on the account of op, through one node.
func (t *traffic) operate(ctx context.Context, node *client.Client, random *rand.Rand, op *history.Operation) {
	a := t.accounts[op.Account]
	choice := random.IntN(100)
	key := a.keys[random.IntN(len(a.keys))]
	cost, increment := 1+random.Int64N(maxCost), 1+random.Int64N(maxIncrement)
	op.Start = time.Since(t.started)
	switch {
	case choice < debitPercent:
		op.Kind, op.Amount = history.Debit, cost
		debit(ctx, node, key, op)
	case choice < debitPercent+incrementPercent:
		op.Kind, op.Amount = history.Increment, increment
		a.update(ctx, node, op)
	case a.reset && choice < debitPercent+incrementPercent+resetPercent:
		op.Kind, op.Amount = history.Set, increment
		a.update(ctx, node, op)
	case a.reset && choice < debitPercent+incrementPercent+2*resetPercent:
		op.Kind, op.Amount = history.Decrement, cost
		a.update(ctx, node, op)
	default:
		op.Kind = history.Read
		balance, answer := a.balance(ctx, node)
		op.Balance = balance
		note(op, answer)
		if op.Outcome == history.Unknown {
			op.Outcome = history.NotExecuted // a read changes nothing, whatever its outcome
		}
	}
	op.End = time.Since(t.started)
}

func whatCame(op history.Operation) string {
	switch {
	case op.Status != 0:
		return fmt.Sprintf("status %d %v", op.Status, op.Outcome)
	case op.Outcome == history.NotExecuted && op.Kind != history.Read:
		return "no connection"
	}
	return "connection lost"
}

// note records an answer by its outcome.
func note(op *history.Operation, answer client.Answer) {
	op.Index, op.Status = answer.Index, answer.Status
	if answer.Err != nil {
		op.Detail = answer.Err.Error()
	}
	switch answer.Outcome {
	case client.Executed:
		op.Outcome = history.OK
	case client.NotExecuted:
		op.Outcome = history.NotExecuted
	case client.Unknown:
		op.Outcome = history.Unknown
	default:
		op.Outcome = history.Broken
	}
}

func debit(ctx context.Context, node *client.Client, key string, op *history.Operation) {
	var verdict struct {
		Valid   bool   `json:"valid"`
		Code    string `json:"code"`
		Credits *int64 `json:"credits"`
	}
	request := map[string]any{"key": key, "credits": map[string]any{"cost": op.Amount}}
	note(op, node.Call(ctx, "keys.verifyKey", request, &verdict))
	if op.Outcome != history.OK {
		return
	}
	switch {
	case verdict.Credits == nil:
		op.Outcome, op.Detail = history.Broken, "no credits in the answer, code "+verdict.Code
		return
	case verdict.Valid && verdict.Code == "VALID":
	case !verdict.Valid && verdict.Code == "USAGE_EXCEEDED":
		op.Outcome = history.Denied
	default:
		op.Outcome, op.Detail = history.Broken, "unexpected code "+verdict.Code
	}
	op.Balance = *verdict.Credits
}

func (a *account) update(ctx context.Context, node *client.Client, op *history.Operation) {
	var data creditsOut
	request := map[string]any{"operation": op.Kind, "value": op.Amount} // the API has the same names
	endpoint := "keys.updateCredits"
	if a.identity {
		endpoint, request["identity"] = "identities.updateCredits", a.id
	} else {
		request["keyId"] = a.id
	}
	note(op, node.Call(ctx, endpoint, request, &data))
	if op.Outcome != history.OK {
		return
	}
	if data.Remaining == nil {
		op.Outcome, op.Detail = history.Broken, "a change left the balance unlimited"
		return
	}
	op.Balance = *data.Remaining
}
