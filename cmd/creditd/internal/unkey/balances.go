package unkey

import (
	"fmt"
	"time"

	"github.com/creditd/creditd/api/records"
)

// planBalances reads the balances of the keys or the identities that were there before a moment. A debit changes no time of a row, so every
// balance is read.
func (s *Source) planBalances(name string, before time.Time) (scan, gather, error) {
	c := scan{table: name, keys: []string{"id"}, values: []any{before.UnixMilli()}}
	switch name {
	case "keys":
		c.columns = []string{"id", "remaining_requests", "refill_day", "refill_amount", "last_refill_at"}
		c.only = "created_at_m < ? AND deleted_at_m IS NULL AND for_workspace_id IS NULL"
		if s.has("credits", "key_id") {
			c.only += " AND (remaining_requests IS NOT NULL OR " + s.among(name, "id", "credits", "key_id", "TRUE") + ")"
		} else {
			c.only += " AND remaining_requests IS NOT NULL"
		}
	case "identities":
		c.columns, c.only = []string{"id"}, "created_at < ? AND deleted = 0"
		if s.has("credits", "identity_id") {
			c.only += " AND " + s.among(name, "id", "credits", "identity_id", "TRUE")
		} else {
			c.only += " AND FALSE"
		}
	default:
		return scan{}, nil, fmt.Errorf("rows of %s have no balances", name)
	}
	return c, func(from *reader, rows []row) (convert, error) { return s.balances(name, from, rows) }, nil
}

var (
	balanceOwners     = map[string]string{"keyId": "id", "identityId": "id"}
	ownBalanceColumns = withParts(ownColumns, balanceOwners)
	rowBalanceColumns = withParts(creditColumns, balanceOwners)
)

func (s *Source) balances(name string, from *reader, rows []row) (convert, error) {
	column, other := "key_id", "identity_id"
	if name == "identities" {
		column, other = other, column
	}
	credits, err := from.related("credits", column, distinct(rows, "id"), other, "remaining", "refill_day", "refill_amount", "refilled_at")
	if err != nil {
		return nil, err
	}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: name, id: r.text("id")}
		balance := &records.Balance{}
		columns := rowBalanceColumns
		if rows := credits[d.id]; len(rows) > 0 {
			balance.Credits = d.creditRow(rows[0], other, s.days)
		} else {
			columns = ownBalanceColumns
			balance.Credits = d.balance(r, ownColumns, s.days)
		}
		if d.notes = nil; name == "keys" { // an earlier pass reported them
			balance.KeyID = records.ID(d.id)
		} else {
			balance.IdentityID = records.ID(d.id)
		}
		d.finish(records.Record{Balance: balance}, columns)
	}), nil
}
