package migrate

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/api/records"
	"github.com/creditd/creditd/cmd/creditd/internal/unkey"
)

// Balances asks the API of the old system for the balances of keys. It may keep newer ones than its database has.
type Balances struct{ target *Target }

// NewBalances asks the node of a client, which stands for the old system.
func NewBalances(old *client.Client) *Balances {
	return &Balances{NewTarget([]*client.Client{old}, "")}
}

// asksAtOnce is how many requests the old system gets at a time.
const asksAtOnce = 8

// ask puts the balances of the old system into the records of a page. A key that the old system does not know keeps none, which is a problem.
func (b *Balances) ask(ctx context.Context, page *unkey.Page) error {
	unknown := make([]bool, len(page.Items))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asksAtOnce)
	for i := range page.Items {
		id, credits := limited(&page.Items[i].Record)
		if credits == nil {
			continue
		}
		group.Go(func() (err error) {
			unknown[i], err = b.one(ctx, id, credits)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("ask the old system for balances: %w", err)
	}
	kept := page.Items[:0]
	for i, item := range page.Items {
		if !unknown[i] {
			kept = append(kept, item)
			continue
		}
		page.Problems = append(page.Problems, unkey.Problem{Table: item.Table, ID: item.ID, Column: "remaining_requests", Effect: unkey.NotTaken,
			Reason: "the old system knows no balance of the key, and its database has one"})
	}
	page.Items = kept
	return nil
}

// limited returns the credits of a key in a record, if it has some.
func limited(r *records.Record) (id records.ID, credits *records.Credits) {
	switch {
	case r.Key != nil:
		return r.Key.ID, r.Key.Credits
	case r.Balance != nil && r.Balance.KeyID != "":
		return r.Balance.KeyID, r.Balance.Credits
	}
	return "", nil
}

func (b *Balances) one(ctx context.Context, id records.ID, credits *records.Credits) (unknown bool, err error) {
	var key struct {
		Credits *struct {
			Remaining *int64 `json:"remaining"`
		} `json:"credits"`
	}
	err = b.target.call(ctx, "keys.getKey", map[string]any{"keyId": id}, &key)
	var refused *client.Error
	switch {
	case errors.As(err, &refused) && refused.Status == http.StatusNotFound:
		return true, nil
	case err != nil:
		return false, err
	case key.Credits == nil || key.Credits.Remaining == nil || *key.Credits.Remaining < 0:
		return true, nil
	}
	credits.Remaining = *key.Credits.Remaining
	return false, nil
}
