package migrate

import (
	"context"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

const (
	replaceRule = "replace"
	skipRule    = "skip"
)

// write imports the records of a part.
func (p *Pass) write(ctx context.Context, s step, page *unkey.Page, items []unkey.Item) ([]records.Outcome, error) {
	w := &writing{p: p, page: page, items: items, rule: p.Rule, outcomes: make([]records.Outcome, len(items))}
	if p.first && w.rule == replaceRule { // what the cluster has did not come from the source, or the migration has ended
		w.rule = skipRule
	}
	if w.rule == replaceRule && !p.Anew && s.part == unkey.Rows && (s.table == "keys" || s.table == "identities") {
		var err error // ends the pass where the cluster does not follow an owner: its balance would be set
		if w.there, err = p.Target.ownersThere(ctx, items); err != nil {
			return nil, err
		}
	}
	all := make([]int, len(items))
	for i := range items {
		all[i] = i
	}
	if err := w.send(ctx, all); err != nil || w.rule != replaceRule {
		return w.outcomes, err
	}
	return w.outcomes, w.settleNames(ctx)
}

// writing is a batch on its way.
type writing struct {
	p        *Pass
	page     *unkey.Page
	items    []unkey.Item
	rule     string
	there    []bool // which owners the cluster has; nil: they were not asked for
	outcomes []records.Outcome
}

func (w *writing) send(ctx context.Context, which []int) error {
	if len(which) == 0 {
		return nil
	}
	batch := make([]records.Record, len(which))
	for i, at := range which {
		batch[i] = w.items[at].Record
	}
	outcomes, err := w.p.Target.importRecords(ctx, w.rule, w.page.ReadAt, batch)
	for i := range outcomes {
		w.outcomes[which[i]] = outcomes[i]
	}
	return err
}

// settleNames writes again what could not have its name, because another record of the batch had it until then. Where identities have exchanged
// their names, the first of them gets another one for the moment.
func (w *writing) settleNames(ctx context.Context) error {
	parked := false
	for {
		waiting := w.nameless()
		if err := w.send(ctx, waiting); err != nil {
			return err
		}
		left := w.nameless()
		switch {
		case len(left) == 0:
			return nil
		case len(left) < len(waiting):
			parked = false
		case parked:
			return nil
		default:
			parked = true
			if err := w.park(ctx, left); err != nil {
				return err
			}
		}
	}
}

// nameless are the records whose name another one has.
func (w *writing) nameless() (which []int) {
	for i := range w.outcomes {
		if w.outcomes[i].Reason == records.NameTaken {
			which = append(which, i)
		}
	}
	return which
}

// parkedName begins the name of a parked identity. Its id follows.
const parkedName = "migrating:"

// park gives an identity of the cluster a name that nobody else has. At the source, its present name belongs to another one by now.
func (w *writing) park(ctx context.Context, which []int) error {
	for _, at := range which {
		if w.there == nil || w.items[at].Record.Identity == nil || !w.there[at] {
			continue
		}
		identity := *w.items[at].Record.Identity
		identity.ExternalID = parkedName + string(identity.ID)
		_, err := w.p.Target.importRecords(ctx, w.rule, w.page.ReadAt, []records.Record{{Identity: &identity}})
		return err
	}
	return nil
}
