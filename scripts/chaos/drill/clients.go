package drill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/creditd/creditd/scripts/chaos/books"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

const (
	callTimeout = 10 * time.Second
	refusedWait = 10 * time.Millisecond // before the next call after one that a node could not execute
	maxCost     = 1000
	maxGrant    = 2400
)

// The mix keeps balances near zero, where denials are: what charges take on average, grants nearly give back.
const (
	chargePercent = 70
	grantPercent  = 24
)

// traffic is the load of a drill and the record it leaves.
type traffic struct {
	cluster Cluster
	rootKey string
	owners  []*owner
	started time.Time
	epochs  func(now time.Duration) (from, to int) // the owners in use
	seed    uint64

	records []*record // one per client
	group   sync.WaitGroup
	cancel  context.CancelFunc
}

// record is what one client saw. It belongs to the client until the traffic has stopped.
type record struct {
	ops    []books.Op     // all but those not executed, which can have had no effect
	counts [3][5]int      // by kind and outcome
	missed map[string]int // operations that were not answered, by what came instead
}

func (t *traffic) start(ctx context.Context, clients int) {
	ctx, t.cancel = context.WithCancel(ctx)
	for i := range clients {
		r := &record{missed: map[string]int{}}
		t.records = append(t.records, r)
		t.group.Go(func() { t.client(ctx, i, r) })
	}
}

// stop lets every client finish the call it is in.
func (t *traffic) stop() {
	t.cancel()
	t.group.Wait()
}

func (t *traffic) client(ctx context.Context, number int, r *record) {
	random := rand.New(rand.NewPCG(t.seed, uint64(number)+1))
	client := wire.NewClient(t.rootKey, callTimeout)
	defer client.Close()
	for ctx.Err() == nil {
		from, to := t.epochs(time.Since(t.started))
		op := t.operate(client, random, from+random.IntN(to-from))
		r.counts[op.Kind][op.Outcome]++
		if op.Outcome == books.NotExecuted || op.Outcome == books.Unknown {
			r.missed[whatCame(op)]++
		}
		if op.Outcome != books.NotExecuted {
			r.ops = append(r.ops, op)
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(refusedWait):
		}
	}
}

// operate does one random operation on one owner through a random node.
func (t *traffic) operate(client *wire.Client, random *rand.Rand, number int) books.Op {
	o := t.owners[number]
	op := books.Op{Owner: number, Node: random.IntN(t.cluster.Size())}
	addr := t.cluster.HTTPAddr(op.Node)
	choice := random.IntN(100)
	key := o.keys[random.IntN(len(o.keys))]
	cost, grant := 1+random.Int64N(maxCost), 1+random.Int64N(maxGrant)
	op.Start = time.Since(t.started)
	switch {
	case choice < chargePercent:
		op.Kind, op.Amount = books.Charge, cost
		o.charge(client, addr, key, &op)
	case choice < chargePercent+grantPercent:
		op.Kind, op.Amount = books.Grant, grant
		o.grant(client, addr, &op)
	default:
		op.Kind = books.Read
		balance, answer := o.balance(client, addr)
		op.Balance = balance
		note(&op, answer)
		if op.Outcome == books.Unknown {
			op.Outcome = books.NotExecuted // a read changes nothing, whatever became of it
		}
	}
	op.End = time.Since(t.started)
	return op
}

func whatCame(op books.Op) string {
	switch {
	case op.Status != 0:
		return fmt.Sprintf("status %d %v", op.Status, op.Outcome)
	case op.Outcome == books.NotExecuted && op.Kind != books.Read:
		return "no connection"
	}
	return "connection lost"
}

// note files an answer that says no more than its status.
func note(op *books.Op, answer wire.Answer) {
	op.Index = answer.Index
	op.Status, op.Detail = answer.Status, answer.Detail
	switch answer.Fate {
	case wire.Executed:
		op.Outcome = books.OK
	case wire.NotExecuted:
		op.Outcome = books.NotExecuted
	case wire.Unknown:
		op.Outcome = books.Unknown
	default:
		op.Outcome = books.Broken
	}
}

type verdict struct {
	Valid   bool   `json:"valid"`
	Code    string `json:"code"`
	Credits *int64 `json:"credits"`
}

func (o *owner) charge(client *wire.Client, addr, key string, op *books.Op) {
	var data verdict
	answer := client.Call(addr, "keys.verifyKey",
		map[string]any{"key": key, "credits": map[string]any{"cost": op.Amount}}, &data)
	note(op, answer)
	if op.Outcome != books.OK {
		return
	}
	switch {
	case data.Credits == nil:
		op.Outcome, op.Detail = books.Broken, "no credits in the answer, code "+data.Code
		return
	case data.Valid && data.Code == "VALID":
	case !data.Valid && data.Code == "USAGE_EXCEEDED":
		op.Outcome = books.Denied
	default:
		op.Outcome, op.Detail = books.Broken, "unexpected code "+data.Code
	}
	op.Balance = *data.Credits
}

func (o *owner) grant(client *wire.Client, addr string, op *books.Op) {
	var data creditsOut
	body := map[string]any{"operation": "increment", "value": op.Amount}
	endpoint := "keys.updateCredits"
	if o.identity {
		endpoint, body["identity"] = "identities.updateCredits", o.id
	} else {
		body["keyId"] = o.id
	}
	note(op, client.Call(addr, endpoint, body, &data))
	if op.Outcome != books.OK {
		return
	}
	if data.Remaining == nil {
		op.Outcome, op.Detail = books.Broken, "an increment left the balance unlimited"
		return
	}
	op.Balance = *data.Remaining
}
