package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/launch"
)

// load is clients that debit one credit after the other. A client asks another node when one says that it executed nothing. Whatever else is no
// verdict counts as a failed request: its outcome may be unknown.
type load struct {
	acknowledged, attempted, moved atomic.Int64
	done                           chan struct{}
	group                          sync.WaitGroup

	mu     sync.Mutex
	failed []error // guarded by mu
}

// giveUp is when a client that found no node fails.
const giveUp = 10 * time.Second

// startLoad starts clients that know all five addresses. Some nodes may not run.
func (c *cluster) startLoad(clients int) *load {
	l := &load{done: make(chan struct{})}
	for number := range clients {
		l.group.Go(func() { l.client(c, number) })
	}
	return l
}

func (l *load) stop() {
	close(l.done)
	l.group.Wait()
}

func (l *load) client(c *cluster, number int) {
	var nodes [most]*client.Client
	for i := range nodes {
		nodes[i] = c.client(i, giveUp)
		defer nodes[i].Close()
	}
	request := map[string]any{"key": c.key, "credits": map[string]any{"cost": 1}}
	at := number % 3
	for {
		select {
		case <-l.done:
			return
		default:
		}
		l.attempted.Add(1)
		if err := l.debit(&at, nodes[:], request); err != nil {
			l.mu.Lock()
			l.failed = append(l.failed, err)
			l.mu.Unlock()
			return
		}
		l.acknowledged.Add(1)
	}
}

func (l *load) debit(at *int, nodes []*client.Client, request any) error {
	begin := time.Now()
	for {
		var verdict struct {
			Valid bool   `json:"valid"`
			Code  string `json:"code"`
		}
		answer := nodes[*at].Call(context.Background(), "keys.verifyKey", request, &verdict)
		switch {
		case answer.Err == nil && !verdict.Valid:
			return fmt.Errorf("denied: %s", verdict.Code)
		case answer.Err == nil:
			if answer.Closed {
				*at = (*at + 1) % len(nodes)
			}
			return nil
		case answer.Outcome != client.NotExecuted || time.Since(begin) > giveUp:
			return fmt.Errorf("%v after %v: %w", answer.Outcome, time.Since(begin), answer.Err)
		}
		l.moved.Add(1)
		*at = (*at + 1) % len(nodes)
	}
}

// failure is every failed request.
func (l *load) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.failed...)
}

// progress waits for answers after the ones that there are.
func (l *load) progress(ctx context.Context) error {
	before := l.acknowledged.Load()
	return launch.Await(ctx, "answers", func(context.Context) error {
		if err := l.failure(); err != nil {
			return err
		}
		if now := l.acknowledged.Load(); now < before+100 {
			return fmt.Errorf("%d more", now-before)
		}
		return nil
	})
}

func (l *load) String() string {
	return fmt.Sprintf("%d debits, none failed, %d asked another node", l.acknowledged.Load(), l.moved.Load())
}
