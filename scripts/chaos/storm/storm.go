package storm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// Config says how much.
type Config struct {
	Seed          uint64
	Debits        int
	Workers       int // each has one debit under way, with all its copies
	LeaderChanges int
	Installs      int // new nodes that are sent a full snapshot
	Log           io.Writer
}

// Report is what happened.
type Report struct {
	Debits        int
	Sent          int64 // requests, those included that were sent again after a failure
	Replayed      int64 // answers that an earlier request had got
	Unknown       int64 // requests of unknown outcome that were sent again
	Denied        int64 // debits that were denied, each with all its copies
	LeaderChanges int
	Installs      int
	Took          time.Duration
}

func (r Report) String() string {
	return fmt.Sprintf("%d debits in %d requests, each executed once; %d answers replayed, %d requests of unknown outcome sent again, %d debits denied; "+
		"%d leader changes, %d snapshots installed; %v", r.Debits, r.Sent, r.Replayed, r.Unknown, r.Denied, r.LeaderChanges, r.Installs, r.Took.Round(time.Second))
}

const (
	callTimeout = 5 * time.Second
	timeout     = 2 * time.Minute // of every wait
	credits     = 1 << 40
	accounts    = 8
	maxCopies   = 5
	maxCost     = 9
	checkAgain  = 25 // one debit in so many is sent once more at the end
)

// storm is one run.
type storm struct {
	config   Config
	cluster  *launch.Cluster
	client   *client.Client
	accounts []launch.Key // the last one has no credits, so its debits are denied
	next     atomic.Int64 // the debit that is sent next
	done     atomic.Int64
	report   Report
	stop     context.CancelCauseFunc
}

// Run storms a cluster whose nodes are ready, and leaves it running. Anything wrong is an error.
func Run(ctx context.Context, config Config, cluster *launch.Cluster) (Report, error) {
	s := &storm{config: config, cluster: cluster, client: launch.NewClient(cluster.HTTPAddr(0), callTimeout)}
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
	s.report.Debits, s.report.Took = int(s.done.Load()), time.Since(begin)
	if err := s.repeat(ctx); err != nil {
		return s.report, err
	}
	return s.report, errors.Join(s.checkBalances(ctx), errors.Join(cluster.Crashes()...))
}

func initial(account int) int64 {
	if account == accounts-1 {
		return 0
	}
	return credits
}

func (s *storm) setup(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	apiID, err := s.cluster.CreateAPI(ctx)
	if err != nil {
		return err
	}
	for i := range accounts {
		key, err := s.cluster.CreateKey(ctx, apiID, initial(i))
		if err != nil {
			return err
		}
		s.accounts = append(s.accounts, key)
	}
	return nil
}

// debit is what a number stands for; the same in every run with the same seed.
type debit struct {
	name    string // the Idempotency-Key
	account int
	cost    int64
	copies  int
	request any
}

func (s *storm) debit(number int64) debit {
	random := rand.New(rand.NewPCG(s.config.Seed, uint64(number)))
	d := debit{
		name: fmt.Sprintf("storm-%d-%d", s.config.Seed, number), account: random.IntN(accounts), cost: 1 + random.Int64N(maxCost), copies: 1 + random.IntN(maxCopies),
	}
	d.request = map[string]any{"key": s.accounts[d.account].Key, "credits": map[string]any{"cost": d.cost}}
	return d
}

// work sends debits until there are no more.
func (s *storm) work(ctx context.Context) {
	for ctx.Err() == nil {
		number := s.next.Add(1) - 1
		if number >= int64(s.config.Debits) {
			return
		}
		d := s.debit(number)
		replies := make([]reply, d.copies)
		var group sync.WaitGroup
		for i := range replies {
			group.Go(func() { replies[i] = s.send(ctx, d, int(number)+i) })
		}
		group.Wait()
		if ctx.Err() != nil {
			return
		}
		if err := s.compare(d, replies); err != nil {
			s.stop(err)
			return
		}
		s.done.Add(1)
	}
}

// reply is the final answer to one copy.
type reply struct {
	data     string
	index    uint64
	replayed bool
	err      error
}

// send sends one copy until it is answered, through one node after the other.
func (s *storm) send(ctx context.Context, d debit, node int) reply {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for ; ; node++ {
		var data json.RawMessage
		atomic.AddInt64(&s.report.Sent, 1)
		answer := s.client.At(s.cluster.HTTPAddr(node%s.cluster.Size())).Call(ctx, "keys.verifyKey", d.request, &data, client.IdempotencyKey(d.name))
		switch answer.Outcome {
		case client.Executed:
			if answer.Replayed {
				atomic.AddInt64(&s.report.Replayed, 1)
			}
			return reply{data: string(data), index: answer.Index, replayed: answer.Replayed}
		case client.Refused:
			return reply{err: fmt.Errorf("%s: %w", d.name, answer.Err)}
		case client.Unknown:
			atomic.AddInt64(&s.report.Unknown, 1)
		}
		if err := launch.Pause(ctx, 10*time.Millisecond); err != nil {
			return reply{err: fmt.Errorf("%s was not answered in time: %w, %w", d.name, err, answer.Err)}
		}
	}
}

// compare compares the replies to one debit: at most one copy was the first, and all got the same answer.
func (s *storm) compare(d debit, replies []reply) error {
	firsts := 0
	for _, r := range replies {
		switch {
		case r.err != nil:
			return r.err
		case r.data != replies[0].data || r.index != replies[0].index:
			return fmt.Errorf("%s: one copy got %s at index %d, another %s at %d", d.name, replies[0].data, replies[0].index, r.data, r.index)
		case !r.replayed:
			firsts++
		}
	}
	if firsts > 1 {
		return fmt.Errorf("%s: %d copies were executed", d.name, firsts)
	}
	var verdict struct {
		Valid bool   `json:"valid"`
		Code  string `json:"code"`
	}
	if err := json.Unmarshal([]byte(replies[0].data), &verdict); err != nil {
		return fmt.Errorf("%s: %w", d.name, err)
	}
	denied := initial(d.account) == 0
	if verdict.Valid == denied || denied && verdict.Code != "USAGE_EXCEEDED" {
		return fmt.Errorf("%s: %s", d.name, replies[0].data)
	}
	if denied {
		atomic.AddInt64(&s.report.Denied, 1)
	}
	return nil
}

// repeat sends debits of the past once more: each must get its first answer.
func (s *storm) repeat(ctx context.Context) error {
	random := rand.New(rand.NewPCG(s.config.Seed, 1<<63))
	for range s.config.Debits / checkAgain {
		d := s.debit(random.Int64N(int64(s.config.Debits)))
		r := s.send(ctx, d, random.IntN(s.cluster.Size()))
		if r.err != nil {
			return r.err
		}
		if !r.replayed {
			return fmt.Errorf("%s was executed again, after the storm", d.name)
		}
	}
	return nil
}

// checkBalances compares every balance, on every node, with the sum of the debits.
func (s *storm) checkBalances(ctx context.Context) error {
	want := make([]int64, accounts)
	for number := range int64(s.config.Debits) {
		if d := s.debit(number); initial(d.account) > 0 {
			want[d.account] += d.cost
		}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for node := range s.cluster.Size() {
		for i, account := range s.accounts {
			remaining, err := s.cluster.Balance(ctx, node, account.ID)
			if err != nil {
				return err
			}
			if spent := initial(i) - remaining; spent != want[i] {
				return fmt.Errorf("node %d, account %d: %d credits are missing, the debits sum up to %d", node, i, spent, want[i])
			}
		}
	}
	_, err := s.cluster.Converge(ctx)
	return err
}
