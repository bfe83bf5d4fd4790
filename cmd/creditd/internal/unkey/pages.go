package unkey

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Query says what is read.
type Query struct {
	Table string
	Part  Part
	After Cursor    // empty: from the first row
	Since time.Time // zero: all; else only what changed since, as far as columns tell
}

// Part is what of a table is read.
type Part string

const (
	Rows      Part = ""
	Balances  Part = "balances"  // of those rows that were there before Since
	Deletions Part = "deletions" // the rows that were deleted; their records have only what names them
)

func (s *Source) plan(q Query) (scan, gather, error) {
	switch q.Part {
	case Balances:
		return s.planBalances(q.Table, q.Since)
	case Deletions:
		return s.planDeletions(q.Table, q.Since)
	}
	for _, t := range tables {
		if t.table == q.Table {
			c := t.scan
			if !t.whole && !q.Since.IsZero() {
				c.since = s.changes(q.Table)
			}
			return c, func(from *reader, rows []row) (convert, error) { return t.gather(s, from, rows) }, nil
		}
	}
	return scan{}, nil, fmt.Errorf("there is no table %q to read", q.Table)
}

// Pages are read ahead: one connection reads the rows of the next page, the others what belongs to those of the pages before it.
const (
	connections = 3
	readAhead   = connections - 1 // pages that wait
)

// Pages reads page after page and gives each to take, in order. Where a connection is lost it goes on after the last page that was taken.
func (s *Source) Pages(ctx context.Context, q Query, take func(*Page) error) error {
	c, gather, err := s.plan(q)
	if err != nil {
		return err
	}
	var refused error
	err = s.repeat(ctx, func() (progress bool, err error) {
		err = s.readOn(ctx, c, gather, q, func(p *Page) error {
			if refused = take(p); refused == nil {
				q.After, progress = p.Cursor, true
			}
			return refused
		})
		if refused != nil { // no matter why: only reading is repeated
			return true, nil
		}
		return progress, err
	})
	if refused != nil {
		return refused
	}
	if err != nil {
		return fmt.Errorf("read the table %s: %w", q.Table, err)
	}
	return nil
}

// readOn makes one attempt. Rows are converted one page after the other, because some depend on what became of others.
func (s *Source) readOn(ctx context.Context, c scan, gather gather, q Query, take func(*Page) error) error {
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan *fetched, readAhead)
	group.Go(func() error {
		defer close(pages)
		for after, last := q.After, false; !last; {
			f, err := s.fetch(ctx, c, after, q.Since)
			if err != nil {
				return err
			}
			group.Go(func() error { return f.gather(&reader{ctx, s, f.tx}, gather) })
			select {
			case pages <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
			after, last = f.page.Cursor, f.page.Last
		}
		return nil
	})
	group.Go(func() error {
		for f := range pages {
			select {
			case <-f.ready:
			case <-ctx.Done():
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			f.convert(f.page)
			f.page.Missing = s.Missing()
			if err := take(f.page); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// gather reads what belongs to the rows, and ends the transaction.
func (f *fetched) gather(from *reader, gather gather) (err error) {
	defer f.close()
	if f.convert, err = gather(from, f.rows); err == nil {
		close(f.ready)
	}
	return err
}
