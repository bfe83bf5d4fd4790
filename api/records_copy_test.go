package api_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/fsm"
)

// copied is a ledger as an export reads it.
type copied struct {
	index  uint64
	clock  int64
	sorted []fsm.Record
}

var _ api.Records = (*copied)(nil)

// copyOf takes the records as a snapshot takes them.
func copyOf(l *ledger) *copied {
	c := &copied{index: l.index, clock: l.state.Clock()}
	frozen := l.state.Freeze()
	for !frozen.Done() {
		for _, change := range frozen.Next(1000, nil) {
			if change.Record != nil {
				c.sorted = append(c.sorted, change.Record)
			}
		}
	}
	frozen.Release(false)
	slices.SortFunc(c.sorted, func(a, b fsm.Record) int { return compareKeys(a.Key(), b.Key()) })
	return c
}

func compareKeys(a, b fsm.RecordKey) int {
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	return strings.Compare(a.ID, b.ID)
}

func (c *copied) Index() uint64 { return c.index }
func (c *copied) Clock() int64  { return c.clock }
func (c *copied) Close() error  { return nil }

// Rest: nobody else wants the CPU.
func (c *copied) Rest(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func (c *copied) Each(kind fsm.Kind, visit func(fsm.Record) error) error {
	for _, r := range c.sorted {
		if r.Key().Kind == kind {
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *copied) Find(name fsm.RecordKey) (fsm.Record, error) {
	at, ok := slices.BinarySearchFunc(c.sorted, name, func(r fsm.Record, of fsm.RecordKey) int { return compareKeys(r.Key(), of) })
	if !ok {
		return nil, nil
	}
	return c.sorted[at], nil
}
