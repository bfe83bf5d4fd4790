package unkey

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// reader reads what belongs to the rows of a page, in the same transaction. It may not change the source: the next page is read meanwhile.
type reader struct {
	ctx context.Context
	*Source
	tx *sql.Tx
}

// related reads the rows of another table whose column has one of the values, by that value. Without the table there are none.
func (r *reader) related(table, column string, of []string, columns ...string) (map[string][]row, error) {
	found := map[string][]row{}
	if len(of) == 0 || !r.has(table, column) {
		return found, nil
	}
	wanted := []string{column}
	for _, name := range columns {
		if r.has(table, name) && name != column {
			wanted = append(wanted, name)
		}
	}
	values := []any{}
	for _, value := range of {
		values = append(values, value)
	}
	statement := fmt.Sprintf("SELECT %s FROM `%s` WHERE `%s` IN (%s)", quoted(wanted), table, column, strings.TrimSuffix(strings.Repeat("?,", len(of)), ","))
	if column != "id" && slices.Contains(wanted, "id") {
		statement += " ORDER BY id"
	}
	err := query(r.ctx, r.tx, statement, values, func(one row) bool {
		found[one.text(column)] = append(found[one.text(column)], one)
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("and the table %s: %w", table, err)
	}
	return found, nil
}

// distinct returns the values of a column, each once.
func distinct(rows []row, column string) (values []string) {
	seen := map[string]bool{}
	for _, r := range rows {
		if value := r.text(column); value != "" && !seen[value] {
			seen[value] = true
			values = append(values, value)
		}
	}
	return values
}
