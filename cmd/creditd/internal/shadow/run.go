package shadow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Config says what to compare, and how. Run trusts it.
type Config struct {
	Records     io.Reader
	Ask         func(context.Context, *Record) (Verdict, error) // safe for concurrent use; an error ends the run
	Concurrency int                                             // questions at once
	MaxAccounts int                                             // balances whose debits are counted
	Samples     int                                             // differences of each kind in the summary
	// Found is told of each difference, and Bad of each line that cannot be read. An error ends the run.
	Found func(*Difference) error
	Bad   func(line int64, why error) error
	// Judged is told after each record, with the counts so far.
	Judged func(*Summary)
}

// Summary is the result of a run.
type Summary struct {
	Records         int64 `json:"records"`
	Agreed          int64 `json:"agreed"`
	DeniedWrongly   int64 `json:"deniedWrongly"`
	AdmittedWrongly int64 `json:"admittedWrongly"`
	OtherCode       int64 `json:"otherCode"`
	OtherBalance    int64 `json:"otherBalance"`
	RateLimited     int64 `json:"rateLimited"` // not compared: rate limits are not replayed
	BadLines        int64 `json:"badLines"`
	Untracked       int64 `json:"untracked"` // records judged without the debits before them
	// Codes counts the pairs of codes that differ, as "VALID → NOT_FOUND": the other system's first.
	Codes   map[string]int64 `json:"codes"`
	Samples []*Difference    `json:"samples"`
}

func (s *Summary) add(d *Difference, samples int) {
	s.Records++
	if d == nil {
		s.Agreed++
		return
	}
	count := map[Kind]*int64{
		DeniedWrongly: &s.DeniedWrongly, AdmittedWrongly: &s.AdmittedWrongly, OtherCode: &s.OtherCode, OtherBalance: &s.OtherBalance,
		NotReplayed: &s.RateLimited,
	}[d.Kind]
	if *count++; *count <= int64(samples) {
		s.Samples = append(s.Samples, d)
	}
	if d.Other.Code != d.Creditd.Code && len(s.Codes) < maxCodes {
		s.Codes[d.Other.Code+CodeArrow+d.Creditd.Code]++
	}
}

// CodeArrow stands between two codes.
const CodeArrow = " → "

// maxCodes bounds the pairs of codes: the other system's are any text.
const maxCodes = 200

// question is a record on its way to its verdict.
type question struct {
	line    int64
	record  Record
	bad     error
	verdict Verdict
	err     error
	done    chan struct{}
}

// Run compares all records. It ends early when ctx is done: the summary then is of those judged before.
func Run(ctx context.Context, c Config) (*Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	asked, inOrder := make(chan *question), make(chan *question, 4*c.Concurrency)
	readErr := make(chan error, 1)
	go func() { // not waited for: a read of a pipe ends when its writer does
		readErr <- feed(ctx, c.Records, asked, inOrder)
		close(asked)
		close(inOrder)
	}()
	for range c.Concurrency {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for q := range receive(ctx, asked) {
				q.verdict, q.err = c.Ask(ctx, &q.record)
				close(q.done)
			}
		}()
	}
	s := &Summary{Codes: map[string]int64{}, Samples: []*Difference{}}
	j := newJudge(c.MaxAccounts)
	for q := range receive(ctx, inOrder) {
		select {
		case <-q.done:
		case <-ctx.Done():
			return s, nil
		}
		if err := c.take(ctx, s, j, q); err != nil {
			return s, err
		}
		s.Untracked = j.untracked
		c.Judged(s)
	}
	select {
	case err := <-readErr:
		return s, err
	case <-ctx.Done():
		return s, nil
	}
}

// take judges one question that has its verdict.
func (c *Config) take(ctx context.Context, s *Summary, j *judge, q *question) error {
	switch {
	case q.bad != nil:
		s.BadLines++
		return c.Bad(q.line, q.bad)
	case q.err != nil && ctx.Err() != nil:
		return nil
	case q.err != nil:
		return fmt.Errorf("line %d: %w", q.line, q.err)
	}
	d := j.judge(q.line, &q.record, &q.verdict)
	s.add(d, c.Samples)
	if d == nil {
		return nil
	}
	return c.Found(d)
}

// feed reads records, and hands each to whoever asks and to whoever judges.
func feed(ctx context.Context, records io.Reader, asked, inOrder chan<- *question) error {
	r, err := newReader(records)
	if err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	for {
		record, bad, err := r.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("line %d: %w", r.number, err)
		}
		q := &question{line: r.number, record: record, bad: bad, done: make(chan struct{})}
		if bad != nil {
			close(q.done)
		}
		select {
		case inOrder <- q:
		case <-ctx.Done():
			return nil
		}
		if bad != nil {
			continue
		}
		select {
		case asked <- q:
		case <-ctx.Done():
			return nil
		}
	}
}

// receive yields what comes from a channel until it is closed or ctx is done.
func receive[T any](ctx context.Context, from <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for {
			select {
			case v, ok := <-from:
				if !ok || !yield(v) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
