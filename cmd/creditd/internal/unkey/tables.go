package unkey

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/creditd/creditd/api/records"
)

// table is a table that is read, and what its rows become.
type table struct {
	scan
	gather func(*Source, *reader, []row) (convert, error)
	whole  bool // read in full also by a later pass: it is small, and others refer to its rows
}

// tables are read in this order: what others refer to comes first.
var tables = makeTables()

func makeTables() []table {
	of := func(name, columns string) scan {
		return scan{table: name, columns: strings.Fields(columns), keys: []string{"id"}}
	}
	all := []table{
		{of("key_migrations", "id algorithm"), (*Source).migrations, true},
		{of("permissions", "id name slug description created_at_m"), (*Source).permissions, true},
		{of("roles", "id name description created_at_m"), (*Source).roles, true},
		{of("apis", "id name key_auth_id ip_whitelist delete_protection created_at_m deleted_at_m"), (*Source).apis, true},
		{of("ratelimit_namespaces", "id name created_at_m deleted_at_m"), (*Source).namespaces, true},
		{of("ratelimit_overrides", "id namespace_id identifier limit duration created_at_m deleted_at_m"), (*Source).overrides, false},
		{of("identities", "id external_id meta environment deleted created_at updated_at"), (*Source).identities, false},
		{of("keys", "id key_auth_id hash start for_workspace_id name owner_id identity_id meta expires enabled remaining_requests refill_day "+
			"refill_amount last_refill_at environment last_used_at pending_migration_id created_at_m updated_at_m deleted_at_m"), (*Source).keys, false},
	}
	for _, l := range links {
		s := of(l.table, "")
		s.keys = l.keys
		for _, e := range l.ends {
			s.columns = append(s.columns, e.column)
		}
		s.columns = append(s.columns, l.keys...)
		all = append(all, table{s, func(_ *Source, from *reader, rows []row) (convert, error) { return l.orphans(from, rows) }, true})
	}
	return all
}

// Tables are the names of the tables that are read, in order. A table that the database does not have is left out.
func (s *Source) Tables() (names []string) {
	for _, t := range tables {
		if len(s.tables.columns[t.table]) > 0 {
			names = append(names, t.table)
		}
	}
	return names
}

// changes are the conditions, each with one moment, under which a row of a table has changed. What hangs on a row counts, too.
func (s *Source) changes(name string) (conditions []string) {
	for _, column := range []string{"created_at_m", "updated_at_m", "deleted_at_m", "created_at", "updated_at"} {
		if s.has(name, column) {
			conditions = append(conditions, "`"+column+"` >= ?")
		}
	}
	if name == "identities" { // a deletion may leave the times as they are
		conditions = append(conditions, "(deleted = 1 OR created_at >= ?)")
	}
	column := map[string]string{"keys": "key_id", "identities": "identity_id"}[name]
	for _, hanging := range []string{"credits", "ratelimits", "keys_roles", "keys_permissions"} {
		if column == "" || !s.has(hanging, column) {
			continue
		}
		for _, at := range []string{"created_at_m", "updated_at_m", "created_at", "updated_at"} {
			if s.has(hanging, at) {
				conditions = append(conditions, s.among(name, "id", hanging, column, "`"+at+"` >= ?"))
			}
		}
	}
	return conditions
}

// among is the condition that a column of a table is one of another's. Columns of two releases may differ in their collations, which do not
// compare. Then the value takes that of the other column, whose index a server can use so: else it reads the other table for each row.
func (s *Source) among(table, column, other, of, where string) string {
	value, form := "`"+column+"`", s.tables.forms[other][of]
	if form != s.tables.forms[table][column] {
		value = fmt.Sprintf("CONVERT(%s USING %s) COLLATE %s", value, form.charset, form.collation)
	}
	return fmt.Sprintf("%s IN (SELECT `%s` FROM `%s` WHERE `%s` IS NOT NULL AND %s)", value, of, other, of, where)
}

// Count returns the number of rows of a table that belong to the workspace.
func (s *Source) Count(ctx context.Context, name string) (rows int64, err error) {
	var wrong error
	err = s.each(ctx, "SELECT COUNT(*) FROM `"+name+"` WHERE workspace_id = ?", []any{s.workspace}, func(r row) {
		rows, wrong = strconv.ParseInt(r.at(0), 10, 64)
	})
	return rows, errors.Join(err, wrong)
}

// First returns ids of a table's rows that are there, those that come first: so many at most. Root keys do not count.
func (s *Source) First(ctx context.Context, name string, most int) (ids []records.ID, err error) {
	if !s.has(name, "id") {
		return nil, nil
	}
	statement := "SELECT id FROM `" + name + "` WHERE workspace_id = ?"
	for column, is := range map[string]string{"deleted_at_m": "IS NULL", "deleted": "= 0", "for_workspace_id": "IS NULL"} {
		if s.has(name, column) {
			statement += " AND `" + column + "` " + is
		}
	}
	err = s.each(ctx, fmt.Sprintf("%s ORDER BY id LIMIT %d", statement, most), []any{s.workspace}, func(r row) { ids = append(ids, records.ID(r.at(0))) })
	if err != nil {
		return nil, fmt.Errorf("read the table %s: %w", name, err)
	}
	return ids, nil
}
