package unkey

import (
	"context"
	"database/sql"
	"strings"
)

// row is one row, every cell as the text that the server sends.
type row struct {
	index map[string]int // of each column
	cells []cell
}

type cell struct {
	text  string
	valid bool // not NULL
}

// at returns a cell by position.
func (r row) at(i int) string { return r.cells[i].text }

// has reports whether the column exists and is not NULL.
func (r row) has(column string) bool {
	i, known := r.index[column]
	return known && r.cells[i].valid
}

// text returns a cell, empty for NULL and for a column that does not exist.
func (r row) text(column string) string {
	if i, known := r.index[column]; known {
		return r.cells[i].text
	}
	return ""
}

// isSet reads a column of flags: a tinyint as text, or a bit as a byte.
func (r row) isSet(column string) bool {
	switch r.text(column) {
	case "", "0", "\x00":
		return false
	}
	return true
}

// size is about how many bytes the row takes.
func (r row) size() (n int) {
	for _, cell := range r.cells {
		n += len(cell.text) + 24
	}
	return n
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, statement string, values ...any) (*sql.Rows, error)
}

// query visits the rows of a statement until visit returns false.
func query(ctx context.Context, db querier, statement string, values []any, visit func(row) bool) (err error) {
	rows, err := db.QueryContext(ctx, statement, values...)
	if err != nil {
		return err
	}
	defer func() {
		if closed := rows.Close(); err == nil {
			err = closed
		}
	}()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	index := make(map[string]int, len(names))
	for i, name := range names {
		index[name] = i
	}
	raw, into := make([]sql.RawBytes, len(names)), make([]any, len(names))
	for i := range into {
		into[i] = &raw[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if !visit(row{index, cellsOf(raw)}) {
			return nil
		}
	}
	return rows.Err()
}

// cellsOf copies cells that are valid until the next row. They share one text, which costs less than one for each.
func cellsOf(raw []sql.RawBytes) []cell {
	size := 0
	for _, bytes := range raw {
		size += len(bytes)
	}
	var all strings.Builder
	all.Grow(size)
	for _, bytes := range raw {
		all.Write(bytes)
	}
	text, cells := all.String(), make([]cell, len(raw))
	for i, bytes := range raw {
		cells[i], text = cell{text[:len(bytes)], bytes != nil}, text[len(bytes):]
	}
	return cells
}
