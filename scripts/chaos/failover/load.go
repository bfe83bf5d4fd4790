package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// load is a number of clients that debit one credit after the other.
type load struct {
	key      string
	addrs    []string
	done     chan struct{}
	group    sync.WaitGroup
	answered []atomic.Int64 // by client

	mu    sync.Mutex
	event Event // guarded by mu
}

func startLoad(key string, addrs []string, clients int) *load {
	l := &load{key: key, addrs: addrs, done: make(chan struct{}), answered: make([]atomic.Int64, clients)}
	for i := range clients {
		l.group.Go(func() { l.client(i) })
	}
	return l
}

// stop lets every client finish its call.
func (l *load) stop(what string) Event {
	close(l.done)
	l.group.Wait()
	l.event.What = what
	slices.Sort(l.event.Answers)
	return l.event
}

// awaitProgress waits until every client has been answered again.
func (l *load) awaitProgress(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	before := make([]int64, len(l.answered))
	for i := range l.answered {
		before[i] = l.answered[i].Load()
	}
	return launch.Await(ctx, "an answer for every client", func(context.Context) error {
		for i := range l.answered {
			if l.answered[i].Load() <= before[i]+1 {
				return fmt.Errorf("client %d still waits", i)
			}
		}
		return nil
	})
}

// client stays with one node until that closes the connection or refuses one, as it would behind a load balancer.
func (l *load) client(number int) {
	caller := launch.NewClient(l.addrs[0], callTimeout)
	defer caller.Close()
	request := map[string]any{"key": l.key, "credits": map[string]any{"cost": 1}}
	at := number % len(l.addrs)
	var own Event
	for {
		select {
		case <-l.done:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.event.Answers = append(l.event.Answers, own.Answers...)
			l.event.Failures = append(l.event.Failures, own.Failures...)
			l.event.Moved += own.Moved
			return
		default:
		}
		begin := time.Now()
		err := errGone
		for tries := 0; errors.Is(err, errGone) && tries <= len(l.addrs); tries++ {
			var closed bool
			closed, err = debit(caller.At(l.addrs[at]), request)
			if closed || errors.Is(err, errGone) {
				at = (at + 1) % len(l.addrs)
				own.Moved++
			}
		}
		if err != nil {
			own.Failures = append(own.Failures, err.Error())
			continue
		}
		own.Answers = append(own.Answers, time.Since(begin))
		l.answered[number].Add(1)
	}
}

var errGone = errors.New("no node accepts connections")

// debit spends one credit. closed says that the node ends the connection with its answer.
func debit(node *client.Client, request any) (closed bool, err error) {
	var verdict struct {
		Valid bool   `json:"valid"`
		Code  string `json:"code"`
	}
	answer := node.Call(context.Background(), "keys.verifyKey", request, &verdict)
	switch {
	case answer.Outcome == client.NotExecuted && answer.Status == 0:
		err = errGone
	case answer.Err != nil:
		err = fmt.Errorf("%v: %w", answer.Outcome, answer.Err)
	case !verdict.Valid:
		err = fmt.Errorf("denied: %s", verdict.Code)
	}
	return answer.Closed, err
}
