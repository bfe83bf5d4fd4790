package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// probe asks before anything is written whether the cluster still follows what came from the source. Replacing the records of others would give
// back credits that were spent since the migration ended, and a source that is given up may delete what it had. The cluster forgets owners in
// the order of their ids, so an end that was interrupted shows in the first.
func (p *Pass) probe(ctx context.Context) error {
	if p.Target == nil {
		return nil
	}
	place, err := p.Target.Place(ctx)
	if err != nil {
		return err
	}
	if p.Target.anew = p.Anew; p.Anew {
		if place.Followed > 0 {
			return errors.New("the cluster still follows a migration; creditd migrate finish ends it, and then it can begin anew")
		}
		return nil
	}
	p.first = place.Followed == 0
	for _, table := range []string{"identities", "keys"} {
		ids, err := p.firstOf(ctx, table)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			continue
		}
		items := make([]unkey.Item, len(ids))
		for i, id := range ids {
			if table == "keys" {
				items[i].Record.Key = &records.Key{ID: id}
			} else {
				items[i].Record.Identity = &records.Identity{ID: id}
			}
		}
		if _, err := p.Target.ownersThere(ctx, items); err != nil {
			return err
		}
	}
	if !p.first {
		return nil
	}
	if err := p.probeAPIs(ctx); err != nil || p.Since.IsZero() {
		return err
	}
	return p.neverMoved(ctx)
}

// probeAPIs is for a cluster that follows nothing: an API of the source that is there nevertheless is from a migration that has ended. Nobody can
// ask for an API of another workspace than the root key's.
func (p *Pass) probeAPIs(ctx context.Context) error {
	if elsewhere, err := p.Target.elsewhere(ctx); elsewhere || err != nil {
		return err
	}
	ids, err := p.firstOf(ctx, "apis")
	if err != nil {
		return err
	}
	for _, id := range ids {
		there, err := p.Target.hasAPI(ctx, id)
		if err != nil {
			return err
		}
		if there {
			return fmt.Errorf("the cluster has the API %s and %s", id, ended)
		}
	}
	return nil
}

// neverMoved refuses a later pass where the cluster has nothing of an earlier one: it would bring only what changed since.
func (p *Pass) neverMoved(ctx context.Context) error {
	for _, table := range []string{"apis", "identities", "keys"} {
		ids, err := p.firstOf(ctx, table)
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			return errors.New("--since is for a later pass, and the cluster follows nothing: there was no pass into this workspace, or the migration has " +
				"ended. Without --since everything is taken over")
		}
	}
	return nil
}

// firstOf returns as many ids of a table as one request takes.
func (p *Pass) firstOf(ctx context.Context, table string) ([]records.ID, error) {
	if !slices.Contains(p.Source.Tables(), table) {
		return nil, nil
	}
	return p.Source.First(ctx, table, recordsPerRequest)
}
