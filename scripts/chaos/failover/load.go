package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/scripts/chaos/local"
	"github.com/creditd/creditd/scripts/chaos/wire"
)

// load is a number of clients that charge one credit after the other.
type load struct {
	rootKey, key string
	addrs        []string
	done         chan struct{}
	group        sync.WaitGroup
	answered     []atomic.Int64 // by client

	mu    sync.Mutex
	event Event // guarded by mu
}

func startLoad(rootKey, key string, addrs []string, clients int) *load {
	l := &load{rootKey: rootKey, key: key, addrs: addrs, done: make(chan struct{}), answered: make([]atomic.Int64, clients)}
	for i := range clients {
		l.group.Go(func() { l.client(i) })
	}
	return l
}

// stop lets every client finish the call it is in.
func (l *load) stop(what string) Event {
	close(l.done)
	l.group.Wait()
	l.event.What = what
	slices.Sort(l.event.Answers)
	return l.event
}

// awaitProgress waits until every client has been answered again.
func (l *load) awaitProgress(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before := make([]int64, len(l.answered))
	for i := range l.answered {
		before[i] = l.answered[i].Load()
	}
	return local.Await(ctx, "an answer for every client", func(context.Context) error {
		for i := range l.answered {
			if l.answered[i].Load() <= before[i]+1 {
				return fmt.Errorf("client %d still waits", i)
			}
		}
		return nil
	})
}

// client stays with one node until that says goodbye or refuses connections, as it would behind a load balancer.
func (l *load) client(number int) {
	client := wire.NewClient(l.rootKey, callTimeout)
	defer client.Close()
	body := map[string]any{"key": l.key, "credits": map[string]any{"cost": 1}}
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
			var dismissed bool
			dismissed, err = charge(client, l.addrs[at], body)
			if dismissed || errors.Is(err, errGone) {
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

var errGone = errors.New("no node takes connections")

// charge spends one credit. dismissed says that the node took leave with its answer.
func charge(client *wire.Client, addr string, body any) (dismissed bool, err error) {
	var data struct {
		Valid bool   `json:"valid"`
		Code  string `json:"code"`
	}
	answer := client.Call(addr, "keys.verifyKey", body, &data)
	switch {
	case answer.Fate == wire.NotExecuted && answer.Status == 0:
		err = errGone
	case answer.Fate != wire.Executed:
		err = fmt.Errorf("%v: %s", answer.Fate, answer.Detail)
	case !data.Valid:
		err = fmt.Errorf("denied: %s", data.Code)
	}
	return answer.Closed, err
}
