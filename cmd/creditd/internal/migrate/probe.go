package migrate

import (
	"context"
	"slices"

	"github.com/creditd/creditd/api/records"
)

// probe asks before anything is written whether the cluster still follows balances. Replacing the records of others would give back credits that
// were spent since the migration ended, and a source that is given up may delete what it had. The cluster forgets owners in the order of their ids, so an end that was interrupted shows in the first.
func (p *Pass) probe(ctx context.Context) error {
	if p.Target == nil {
		return nil
	}
	for _, table := range []string{"identities", "keys"} {
		if !slices.Contains(p.Source.Tables(), table) {
			continue
		}
		page, err := p.Source.FirstBalances(ctx, table)
		if err != nil {
			return err
		}
		page.Items = page.Items[:min(len(page.Items), recordsPerRequest)]
		if p.Balances != nil {
			if err := p.Balances.ask(ctx, page); err != nil {
				return err
			}
		}
		if len(page.Items) == 0 {
			continue
		}
		batch := make([]records.Record, len(page.Items))
		for i := range page.Items {
			batch[i] = page.Items[i].Record
		}
		outcomes, err := p.Target.importRecords(ctx, "skip", page.ReadAt, batch)
		if err != nil {
			return err
		}
		for i, outcome := range outcomes {
			if outcome.Reason == records.NotTracked {
				return notTracked(batch[i].ID())
			}
		}
	}
	return nil
}
