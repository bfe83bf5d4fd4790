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
	callTimeout  = 10 * time.Second
	shortTimeout = 2500 * time.Millisecond
	refusedWait  = 10 * time.Millisecond // before the next call after one that a node could not execute
	maxCost      = 1000
	maxGrant     = 2400
)

// The mix keeps balances near zero, where denials are: what charges take on average, grants nearly give back. Balances that are
// reset have their share of that.
const (
	chargePercent = 66
	grantPercent  = 22
	resetPercent  = 4 // each of set and decrement
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
	ops    []books.Op                       // all but those not executed, which can have had no effect
	counts [books.Kinds][books.Outcomes]int // by kind and outcome
	missed map[string]int                   // operations that were not answered, by what came instead
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
	// Half of the clients stay with one node whatever happens to it. The others go anywhere and are in a hurry.
	home, timeout := number/2%t.cluster.Size(), callTimeout
	if number%2 == 1 {
		home, timeout = anywhere, shortTimeout
	}
	client := wire.NewClient(t.rootKey, timeout)
	defer client.Close()
	for ctx.Err() == nil {
		from, to := t.epochs(time.Since(t.started))
		op := books.Op{Owner: from + random.IntN(to-from), Client: number, Node: random.IntN(t.cluster.Size())}
		if home != anywhere {
			op.Node = home
		}
		t.operate(client, random, &op)
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

// anywhere is the home of a client that has none.
const anywhere = -1

// operate does one random operation on the owner and through the node that op names.
func (t *traffic) operate(client *wire.Client, random *rand.Rand, op *books.Op) {
	o, addr := t.owners[op.Owner], t.cluster.HTTPAddr(op.Node)
	choice := random.IntN(100)
	key := o.keys[random.IntN(len(o.keys))]
	cost, grant := 1+random.Int64N(maxCost), 1+random.Int64N(maxGrant)
	op.Start = time.Since(t.started)
	switch {
	case choice < chargePercent:
		op.Kind, op.Amount = books.Charge, cost
		o.charge(client, addr, key, op)
	case choice < chargePercent+grantPercent:
		op.Kind, op.Amount = books.Grant, grant
		o.update(client, addr, op)
	case o.reset && choice < chargePercent+grantPercent+resetPercent:
		op.Kind, op.Amount = books.Set, grant
		o.update(client, addr, op)
	case o.reset && choice < chargePercent+grantPercent+2*resetPercent:
		op.Kind, op.Amount = books.Decrement, cost
		o.update(client, addr, op)
	default:
		op.Kind = books.Read
		balance, answer := o.balance(client, addr)
		op.Balance = balance
		note(op, answer)
		if op.Outcome == books.Unknown {
			op.Outcome = books.NotExecuted // a read changes nothing, whatever became of it
		}
	}
	op.End = time.Since(t.started)
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

// operations are the names the API has for changes of a balance.
var operations = map[books.Kind]string{books.Grant: "increment", books.Set: "set", books.Decrement: "decrement"}

func (o *owner) update(client *wire.Client, addr string, op *books.Op) {
	var data creditsOut
	body := map[string]any{"operation": operations[op.Kind], "value": op.Amount}
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
		op.Outcome, op.Detail = books.Broken, "a change left the balance unlimited"
		return
	}
	op.Balance = *data.Remaining
}
