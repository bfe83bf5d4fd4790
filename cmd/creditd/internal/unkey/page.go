package unkey

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A page has so many rows at most, and ends early when they have so many bytes.
const (
	pageRows  = 1000
	pageBytes = 4 << 20
)

// Cursor is where a table was read up to: the values of its ordering columns. Empty: nothing was read.
type Cursor []string

// scan says which rows of a table are read, and in which order.
type scan struct {
	table   string
	columns []string
	only    string // further condition
	values  []any  // of only
	since   []string
	keys    []string // that order rows without a pk
}

// order returns the columns that rows are ordered by: each row keeps its place whatever else happens to the table. So no row that is there
// from the first page to the last can be missed.
func (s *Source) order(c scan) []string {
	if s.has(c.table, "pk") {
		return []string{"pk"}
	}
	return c.keys
}

// gather reads what belongs to the rows of a page, and returns what makes items and problems of them.
type gather func(from *reader, rows []row) (convert, error)

type convert func(*Page)

func forEach(rows []row, one func(row, *Page)) convert {
	return func(p *Page) {
		for _, r := range rows {
			one(r, p)
		}
	}
}

// fetched is a page whose rows are read. Its transaction stays open for what belongs to them.
type fetched struct {
	page *Page
	rows []row
	tx   *sql.Tx

	ready   chan struct{} // closed when convert is there, or gather failed
	convert convert
}

// fetch reads the rows after a cursor, in a read-only transaction that shows one moment.
func (s *Source) fetch(ctx context.Context, c scan, after Cursor, since time.Time) (f *fetched, err error) {
	statement, values, order, err := s.statement(c, after, since)
	if err != nil {
		return nil, err
	}
	limit := min(pageRows, cmp.Or(s.limits[c.table], pageRows))
	statement += fmt.Sprintf(" LIMIT %d", limit)
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	f = &fetched{tx: tx, page: &Page{Table: c.table, Cursor: after, ReadAt: s.clock()}, ready: make(chan struct{})}
	bytes := 0
	err = query(ctx, tx, statement, values, func(r row) bool {
		f.rows, bytes = append(f.rows, r), bytes+r.size()
		return bytes < pageBytes
	})
	if err != nil {
		f.close()
		return nil, err
	}
	p := f.page
	p.Read, p.Last = len(f.rows), len(f.rows) < limit && bytes < pageBytes
	if bytes >= pageBytes {
		s.limits[c.table] = max(16, 2*len(f.rows)) // a server may send what is asked for although nobody reads it
	}
	if len(f.rows) > 0 {
		p.Cursor = nil
		for _, column := range order {
			p.Cursor = append(p.Cursor, strings.Clone(f.rows[len(f.rows)-1].text(column)))
		}
	}
	return f, nil
}

// close ends the transaction, which wrote nothing.
func (f *fetched) close() { _ = f.tx.Rollback() }

// statement builds the query of a page.
func (s *Source) statement(c scan, after Cursor, since time.Time) (statement string, values []any, order []string, err error) {
	order = s.order(c)
	var columns []string
	for _, column := range append(slices.Clone(order), c.columns...) {
		if s.has(c.table, column) && !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	where := []string{"workspace_id = ?"}
	values = []any{s.workspace}
	if c.only != "" {
		where, values = append(where, c.only), append(values, c.values...)
	}
	if !since.IsZero() && len(c.since) > 0 {
		var changed []string
		for _, condition := range c.since {
			changed, values = append(changed, condition), append(values, since.UnixMilli())
		}
		where = append(where, "("+strings.Join(changed, " OR ")+")")
	}
	if len(after) > 0 {
		condition, more, err := afterCursor(order, after)
		if err != nil {
			return "", nil, nil, err
		}
		where, values = append(where, condition), append(values, more...)
	}
	hint := ""
	if slices.Equal(s.tables.primary[c.table], order) {
		hint = " FORCE INDEX (PRIMARY)" // else a server may sort the whole table for each page
	}
	return fmt.Sprintf("SELECT %s FROM `%s`%s WHERE %s ORDER BY %s", quoted(columns), c.table, hint, strings.Join(where, " AND "),
		quoted(order)), values, order, nil
}

// afterCursor is the condition for rows after a cursor, in a form that uses an index: (a > ?) OR (a = ? AND b > ?).
func afterCursor(order []string, after Cursor) (condition string, values []any, err error) {
	if len(after) != len(order) {
		return "", nil, fmt.Errorf("a cursor of %d columns for %d", len(after), len(order))
	}
	var parts []string
	for i, column := range order {
		part := ""
		for j := range i {
			part += "`" + order[j] + "` = ? AND "
			values = append(values, after[j])
		}
		parts = append(parts, "("+part+"`"+column+"` > ?)")
		if column == "pk" { // as a number: compared with a text, a server converts both to floating point
			pk, err := strconv.ParseUint(after[i], 10, 64)
			if err != nil {
				return "", nil, fmt.Errorf("the cursor %q is no pk", after[i])
			}
			values = append(values, pk)
			continue
		}
		values = append(values, after[i])
	}
	return "(" + strings.Join(parts, " OR ") + ")", values, nil
}

func quoted(columns []string) string { return "`" + strings.Join(columns, "`,`") + "`" }
