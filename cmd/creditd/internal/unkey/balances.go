package unkey

import (
	"context"
	"fmt"
	"time"

	"github.com/creditd/creditd/api/records"
)

// ReadBalances reads the balances of the keys or the identities that were there before a moment. A debit changes no time of a row, so every
// balance is read.
func (s *Source) ReadBalances(ctx context.Context, name string, after Cursor, before time.Time) (*Page, error) {
	c := scan{table: name, keys: []string{"id"}, values: []any{before.UnixMilli()}}
	owns := func(column string) string {
		return "id IN (SELECT `" + column + "` FROM credits WHERE `" + column + "` IS NOT NULL)"
	}
	switch name {
	case "keys":
		c.columns = []string{"id", "remaining_requests", "refill_day", "refill_amount", "last_refill_at"}
		c.only = "created_at_m < ? AND deleted_at_m IS NULL AND for_workspace_id IS NULL"
		if s.has("credits", "key_id") {
			c.only += " AND (remaining_requests IS NOT NULL OR " + owns("key_id") + ")"
		} else {
			c.only += " AND remaining_requests IS NOT NULL"
		}
	case "identities":
		if !s.has("credits", "identity_id") {
			return &Page{Table: name, Last: true, ReadAt: s.clock(), Missing: s.Missing()}, nil
		}
		c.columns, c.only = []string{"id"}, "created_at < ? AND deleted = 0 AND "+owns("identity_id")
	default:
		return nil, fmt.Errorf("rows of %s have no balances", name)
	}
	return s.read(ctx, c, after, time.Time{}, func(from *reader, rows []row, p *Page) error { return s.balances(name, from, rows, p) })
}

func (s *Source) balances(name string, from *reader, rows []row, p *Page) error {
	column, other := "key_id", "identity_id"
	if name == "identities" {
		column, other = other, column
	}
	credits, err := from.related("credits", column, distinct(rows, "id"), other, "remaining", "refill_day", "refill_amount", "refilled_at")
	if err != nil {
		return err
	}
	for _, r := range rows {
		d := &draft{page: p, table: name, id: r.text("id")}
		balance := &records.Balance{}
		columns := creditColumns
		if rows := credits[d.id]; len(rows) > 0 {
			balance.Credits = d.creditRow(rows[0], other, s.days)
		} else {
			columns = ownColumns
			balance.Credits = d.balance(r, ownColumns, s.days)
		}
		if d.notes = nil; name == "keys" { // an earlier pass reported them
			balance.KeyID = records.ID(d.id)
		} else {
			balance.IdentityID = records.ID(d.id)
		}
		d.finish(records.Record{Balance: balance}, columnsOfParts(map[string]string{"keyId": "id", "identityId": "id"}, columns))
	}
	return nil
}
