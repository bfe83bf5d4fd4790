package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Pass reads the source once and writes what it reads.
type Pass struct {
	Source   *unkey.Source
	Target   *Target   // nil: nothing is written
	Rule     string    // what happens to a thing that exists and differs: fail, skip or replace
	Since    time.Time // zero: all; else only what changed since
	Balances *Balances // asks the old system for balances; nil: those of the database
	Report   *Report
	State    *State    // nil: a pass that ends early begins again
	Progress *Progress // nil: none is shown
	Flight   int       // requests under way at most
	Anew     bool      // after going back: the cluster, which follows nothing, gets what the source has, and follows it again

	summary Summary
	first   bool // the cluster follows nothing, so nothing came from the source so far
	slots   chan struct{}
	lost    [][2]string // rows that the cluster refused, until the end of the table
}

// Bounds of what is under way. A request is below the 10 MiB of a body, and short enough that nobody waits for it.
const (
	recordsPerRequest = 250
	bytesPerRequest   = 1 << 20
	pagesAhead        = 3
)

// Run makes the pass. What was done until an error stays done, and counts in the summary.
func (p *Pass) Run(ctx context.Context) (*Summary, error) {
	p.slots = make(chan struct{}, max(1, p.Flight))
	steps, first, after := p.steps(), 0, unkey.Cursor(nil)
	if s := p.State; s != nil && s.Step+len(s.Cursor) > 0 {
		first, after, p.summary = s.Step, s.Cursor, s.Summary
		p.Source.Remember(s.Missing)
	}
	p.summary.Workspace = p.Source.Workspace()
	if !p.Since.IsZero() {
		p.summary.Since = &p.Since
	}
	if err := p.probe(ctx); err != nil {
		return &p.summary, err
	}
	for i := first; i < len(steps); i++ {
		if err := p.step(ctx, i, steps[i], after); err != nil {
			return &p.summary, errors.Join(err, p.State.catchUp(p.Report))
		}
		after = nil
	}
	p.summary.Complete = true
	if err := p.Report.end(&p.summary); err != nil {
		return &p.summary, err
	}
	return &p.summary, p.State.finish(p.Report, &p.summary)
}

// A step reads a part of a table.
type step struct {
	table string
	part  unkey.Part
}

func (s step) String() string {
	if s.part == unkey.Rows {
		return s.table
	}
	return fmt.Sprintf("%s of %s", s.part, s.table)
}

// steps begin a later pass with the balances: a record of a thing that exists also has a balance, and must find it tracked. What was deleted
// goes before anything comes: something new may have its name.
func (p *Pass) steps() (steps []step) {
	tables := p.Source.Tables()
	if !p.Since.IsZero() {
		for _, table := range []string{"identities", "keys"} {
			if slices.Contains(tables, table) {
				steps = append(steps, step{table, unkey.Balances})
			}
		}
	}
	if p.Target != nil {
		for _, table := range p.Source.Deletions() {
			steps = append(steps, step{table, unkey.Deletions})
		}
	}
	for _, table := range tables {
		steps = append(steps, step{table, unkey.Rows})
	}
	return steps
}

// sent is a page whose records are under way.
type sent struct {
	page     *unkey.Page
	outcomes []records.Outcome // of its items, unless these were deleted
	removals []removal         // of its items, if these were deleted
	work     *errgroup.Group
}

// step reads on while earlier pages are written. Pages are counted in their order, and all of them before the step ends: the next table
// refers to this one.
func (p *Pass) step(ctx context.Context, number int, s step, after unkey.Cursor) error {
	if err := p.announce(ctx, s); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	pages := make(chan *sent, pagesAhead)
	group.Go(func() error {
		defer close(pages)
		return p.Source.Pages(ctx, unkey.Query{Table: s.table, Part: s.part, After: after, Since: p.Since}, func(page *unkey.Page) error {
			if p.Balances != nil && s.part != unkey.Deletions {
				if err := p.Balances.ask(ctx, page); err != nil {
					return err
				}
			}
			select {
			case pages <- p.send(ctx, s, page):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	group.Go(func() error {
		for one := range pages {
			if err := one.work.Wait(); err != nil {
				return fmt.Errorf("write %s: %w", s, err)
			}
			if err := p.commit(number, s, one); err != nil {
				return err
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, row := range p.lost {
		p.Source.Miss(row[0], row[1])
	}
	p.lost = nil
	return nil
}

func (p *Pass) announce(ctx context.Context, s step) error {
	rows := int64(0) // unknown
	if p.Progress != nil && p.Since.IsZero() && s.part == unkey.Rows {
		var err error
		if rows, err = p.Source.Count(ctx, s.table); err != nil {
			return err
		}
	}
	p.Progress.begin(s, rows)
	return nil
}

// send starts the requests for a page, and waits only for their turn.
func (p *Pass) send(ctx context.Context, s step, page *unkey.Page) *sent {
	one := &sent{page: page, outcomes: make([]records.Outcome, len(page.Items)), removals: make([]removal, len(page.Items)), work: &errgroup.Group{}}
	if p.Target == nil {
		return one
	}
	for from, to := 0, 0; from < len(page.Items); from = to {
		to = cut(page.Items, from)
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			one.work.Go(ctx.Err)
			return one
		}
		begin, end := from, to
		one.work.Go(func() error {
			defer func() { <-p.slots }()
			if s.part == unkey.Deletions {
				removals, err := p.Target.remove(ctx, page.Items[begin:end])
				copy(one.removals[begin:end], removals)
				return err
			}
			outcomes, err := p.write(ctx, s, page, page.Items[begin:end])
			copy(one.outcomes[begin:end], outcomes)
			return err
		})
	}
	return one
}

// cut returns where the batch that begins at an item ends.
func cut(items []unkey.Item, from int) (to int) {
	size := 0
	for to = from; to < len(items) && to-from < recordsPerRequest && size < bytesPerRequest; to++ {
		size += sizeOf(&items[to].Record)
	}
	return to
}

// sizeOf is about how large the body of a record is.
func sizeOf(r *records.Record) int {
	size := 512
	switch {
	case r.Key != nil:
		size += len(r.Key.Meta) + 40*(len(r.Key.Permissions)+len(r.Key.Roles)) + 150*len(r.Key.Ratelimits)
	case r.Identity != nil:
		size += len(r.Identity.Meta) + 150*len(r.Identity.Ratelimits)
	case r.Role != nil:
		size += 40 * len(r.Role.Permissions)
	}
	return size
}

// ErrInterrupted is a pass that was told to end.
var ErrInterrupted = errors.New("interrupted; start the command again, it goes on where it was")
