package storm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

// Config says how much.
type Config struct {
	RootKey       string
	Seed          uint64
	Charges       int
	Workers       int // each has one charge under way, with all its copies
	LeaderChanges int
	Copies        int // newcomers that are sent everything
	Log           io.Writer
}

// Report is what happened.
type Report struct {
	Charges       int
	Sent          int64 // requests, those that were sent again after a failure included
	Replayed      int64 // answers that an earlier request had got
	Lost          int64 // requests whose outcome was not known and that were sent again
	Denied        int64 // charges that were denied, each copy of them
	LeaderChanges int
	Copies        int
	Took          time.Duration
}

func (r Report) String() string {
	return fmt.Sprintf("%d charges in %d requests, each charge taken once; %d answers replayed, %d requests of unknown outcome sent again, %d charges denied; "+
		"%d leader changes, %d whole copies; %v", r.Charges, r.Sent, r.Replayed, r.Lost, r.Denied, r.LeaderChanges, r.Copies, r.Took.Round(time.Second))
}

const (
	callTimeout = 5 * time.Second
	patience    = 2 * time.Minute
	credits     = 1 << 40
	accounts    = 8
	maxCopies   = 5
	maxCost     = 9
	checkAgain  = 25 // one charge in so many is sent once more when all is over
)

// storm is one run.
type storm struct {
	config   Config
	cluster  *local.Cluster
	client   *wire.Client
	accounts []account
	next     atomic.Int64 // the charge that is taken up next
	done     atomic.Int64
	report   Report
	stop     context.CancelCauseFunc
}

// account is a key with a balance of its own. The last one has none, so its charges are denied.
type account struct{ ID, Key string }

// Run storms a cluster whose nodes are ready, and leaves it running. Anything wrong is an error.
func Run(ctx context.Context, config Config, cluster *local.Cluster) (Report, error) {
	s := &storm{config: config, cluster: cluster, client: wire.NewClient(config.RootKey, callTimeout)}
	defer s.client.Close()
	ctx, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	begin := time.Now()
	if err := s.setup(ctx); err != nil {
		return s.report, err
	}
	var group sync.WaitGroup
	for range config.Workers {
		group.Go(func() { s.work(ctx) })
	}
	err := s.disturb(ctx)
	if err != nil {
		s.stop(err)
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return s.report, err
	}
	s.report.Charges, s.report.Took = int(s.done.Load()), time.Since(begin)
	if err := s.repeat(ctx); err != nil {
		return s.report, err
	}
	return s.report, errors.Join(s.audit(ctx), errors.Join(cluster.Crashes()...))
}

func (s *storm) setup(ctx context.Context) error {
	var api struct {
		ID string `json:"apiId"`
	}
	if err := s.call(ctx, "apis.createApi", map[string]any{"name": "creditd-storm"}, &api); err != nil {
		return err
	}
	for i := range accounts {
		remaining := int64(credits)
		if i == accounts-1 {
			remaining = 0
		}
		var made struct {
			ID  string `json:"keyId"`
			Key string `json:"key"`
		}
		body := map[string]any{"apiId": api.ID, "credits": map[string]any{"remaining": remaining}}
		if err := s.call(ctx, "keys.createKey", body, &made); err != nil {
			return err
		}
		s.accounts = append(s.accounts, account(made))
	}
	return nil
}

// call repeats what was not executed, at any node.
func (s *storm) call(ctx context.Context, endpoint string, body, data any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	node := 0
	return local.Await(ctx, endpoint, func(context.Context) error {
		node = (node + 1) % s.cluster.Size()
		if answer := s.client.Call(s.cluster.HTTPAddr(node), endpoint, body, data); answer.Fate != wire.Executed {
			return errors.New(answer.Detail)
		}
		return nil
	})
}

// charge is what a number stands for; the same in every run with the same seed.
type charge struct {
	name    string // the Idempotency-Key
	account int
	cost    int64
	copies  int
	body    any
}

func (s *storm) charge(number int64) charge {
	random := rand.New(rand.NewPCG(s.config.Seed, uint64(number)))
	c := charge{
		name: fmt.Sprintf("storm-%d-%d", s.config.Seed, number), account: random.IntN(accounts), cost: 1 + random.Int64N(maxCost), copies: 1 + random.IntN(maxCopies),
	}
	c.body = map[string]any{"key": s.accounts[c.account].Key, "credits": map[string]any{"cost": c.cost}}
	return c
}

// work takes up charges until there are no more.
func (s *storm) work(ctx context.Context) {
	clients := make([]*wire.Client, maxCopies)
	for i := range clients {
		clients[i] = wire.NewClient(s.config.RootKey, callTimeout)
		defer clients[i].Close()
	}
	for ctx.Err() == nil {
		number := s.next.Add(1) - 1
		if number >= int64(s.config.Charges) {
			return
		}
		c := s.charge(number)
		answers := make([]told, c.copies)
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() { answers[i] = s.send(ctx, clients[i], c, int(number)+i) })
		}
		group.Wait()
		if ctx.Err() != nil {
			return
		}
		if err := s.compare(c, answers); err != nil {
			s.stop(err)
			return
		}
		s.done.Add(1)
	}
}

// told is what one copy was answered in the end.
type told struct {
	data  string
	index uint64
	again bool
	err   error
}

// send sends one copy until it is answered, through one node after the other.
func (s *storm) send(ctx context.Context, client *wire.Client, c charge, node int) told {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ; ; node++ {
		var data json.RawMessage
		atomic.AddInt64(&s.report.Sent, 1)
		answer := client.CallOnce(s.cluster.HTTPAddr(node%s.cluster.Size()), "keys.verifyKey", c.name, c.body, &data)
		switch answer.Fate {
		case wire.Executed:
			if answer.Again {
				atomic.AddInt64(&s.report.Replayed, 1)
			}
			return told{data: string(data), index: answer.Index, again: answer.Again}
		case wire.Refused:
			return told{err: fmt.Errorf("%s: %s", c.name, answer.Detail)}
		case wire.Unknown:
			atomic.AddInt64(&s.report.Lost, 1)
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return told{err: fmt.Errorf("%s was not answered in time: %w, %s", c.name, err, answer.Detail)}
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// compare holds the copies of one charge against each other: one of them was first, at most; all were told the same.
func (s *storm) compare(c charge, answers []told) error {
	firsts := 0
	for _, a := range answers {
		switch {
		case a.err != nil:
			return a.err
		case a.data != answers[0].data || a.index != answers[0].index:
			return fmt.Errorf("%s: one copy was told %s at index %d, another %s at %d", c.name, answers[0].data, answers[0].index, a.data, a.index)
		case !a.again:
			firsts++
		}
	}
	if firsts > 1 {
		return fmt.Errorf("%s: %d copies were carried out", c.name, firsts)
	}
	var verdict struct {
		Valid bool   `json:"valid"`
		Code  string `json:"code"`
	}
	if err := json.Unmarshal([]byte(answers[0].data), &verdict); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	denied := c.account == accounts-1
	if verdict.Valid == denied || denied && verdict.Code != "USAGE_EXCEEDED" {
		return fmt.Errorf("%s: %s", c.name, answers[0].data)
	}
	if denied {
		atomic.AddInt64(&s.report.Denied, 1)
	}
	return nil
}

// repeat sends charges of the past once more: nothing may come of it but the old answer.
func (s *storm) repeat(ctx context.Context) error {
	random := rand.New(rand.NewPCG(s.config.Seed, 1<<63))
	for range s.config.Charges / checkAgain {
		c := s.charge(random.Int64N(int64(s.config.Charges)))
		answer := s.send(ctx, s.client, c, random.IntN(s.cluster.Size()))
		if answer.err != nil {
			return answer.err
		}
		if !answer.again {
			return fmt.Errorf("%s was carried out again, after the storm", c.name)
		}
	}
	return nil
}

// audit compares every balance, on every node, with what the charges sum up to.
func (s *storm) audit(ctx context.Context) error {
	want := make([]int64, accounts)
	for number := range int64(s.config.Charges) {
		if c := s.charge(number); c.account != accounts-1 {
			want[c.account] += c.cost
		}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for node := range s.cluster.Size() {
		for i, account := range s.accounts {
			var data struct {
				Credits struct {
					Remaining int64 `json:"remaining"`
				} `json:"credits"`
			}
			if err := local.Await(ctx, "a balance", func(context.Context) error {
				answer := s.client.Call(s.cluster.HTTPAddr(node), "keys.getKey", map[string]any{"keyId": account.ID}, &data)
				if answer.Fate != wire.Executed {
					return errors.New(answer.Detail)
				}
				return nil
			}); err != nil {
				return err
			}
			initial := int64(credits)
			if i == accounts-1 {
				initial = 0
			}
			if spent := initial - data.Credits.Remaining; spent != want[i] {
				return fmt.Errorf("node %d, account %d: %d credits are gone, the charges sum up to %d", node, i, spent, want[i])
			}
		}
	}
	return local.Await(ctx, "equal digests", func(context.Context) error {
		status, err := s.client.Status(s.cluster.HTTPAddr(0))
		if err != nil {
			return err
		}
		// What a node was before it lost its data is remembered for a while.
		status.Nodes = slices.DeleteFunc(status.Nodes, func(n wire.NodeStatus) bool { return n.Role == "unknown" })
		return status.Converged(s.cluster.Size())
	})
}
