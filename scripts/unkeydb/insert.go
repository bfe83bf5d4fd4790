package unkeydb

import (
	"context"
	"database/sql"
	"strings"
)

// rowsPerInsert keeps a statement below the packet size of the server.
const rowsPerInsert = 500

// table collects rows and writes many with one statement. A column that the older form lacks is left out.
type table struct {
	name    string
	columns []string
	keep    []int // indexes of the columns that the database has
	db      *sql.DB
	rows    [][]any
	err     error
}

// newTable asks which of the columns exist. A table that does not exist has none.
func newTable(ctx context.Context, db *sql.DB, name string, columns ...string) (*table, error) {
	t := &table{name: name, db: db}
	for i, column := range columns {
		var count int
		err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?",
			name, column).Scan(&count)
		if err != nil {
			return nil, err
		}
		if count > 0 {
			t.columns, t.keep = append(t.columns, "`"+column+"`"), append(t.keep, i)
		}
	}
	return t, nil
}

func (t *table) exists() bool { return len(t.columns) > 0 }

// add keeps a row, in the order of newTable's columns.
func (t *table) add(ctx context.Context, values ...any) {
	if t.err != nil || !t.exists() {
		return
	}
	row := make([]any, 0, len(t.keep))
	for _, i := range t.keep {
		row = append(row, values[i])
	}
	if t.rows = append(t.rows, row); len(t.rows) >= rowsPerInsert {
		t.flush(ctx)
	}
}

func (t *table) flush(ctx context.Context) {
	if t.err != nil || len(t.rows) == 0 {
		return
	}
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(t.columns)), ",") + ")"
	statement := "INSERT INTO `" + t.name + "` (" + strings.Join(t.columns, ",") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat(one+",", len(t.rows)), ",")
	var values []any
	for _, row := range t.rows {
		values = append(values, row...)
	}
	_, t.err = t.db.ExecContext(ctx, statement, values...)
	t.rows = t.rows[:0]
}
