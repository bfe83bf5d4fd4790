package unkey

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/api/records"
)

// deletion is a table whose rows stay when they are deleted.
type deletion struct {
	table, columns string
	record         func(id records.ID, r row) records.Record // what names the thing, and nothing else
}

// deletions are in the order in which things may go: an API goes when it has no more keys, and a key before the identity that pays for it.
var deletions = []deletion{
	{"keys", "id", func(id records.ID, _ row) records.Record { return records.Record{Key: &records.Key{ID: id}} }},
	{"apis", "id", func(id records.ID, _ row) records.Record { return records.Record{API: &records.API{ID: id}} }},
	{"identities", "id", func(id records.ID, _ row) records.Record { return records.Record{Identity: &records.Identity{ID: id}} }},
	{"ratelimit_overrides", "id namespace_id identifier", func(id records.ID, r row) records.Record {
		return records.Record{Override: &records.Override{ID: id, NamespaceID: records.ID(r.text("namespace_id")), Identifier: r.text("identifier")}}
	}},
}

// Deletions are the names of the tables whose deleted rows can be read, in the order in which their records may be deleted.
func (s *Source) Deletions() (names []string) {
	for _, d := range deletions {
		if s.has(d.table, "deleted_at_m") || s.has(d.table, "deleted") {
			names = append(names, d.table)
		}
	}
	return names
}

// planDeletions reads the rows that were deleted since a moment, with those that went with another row. Identities have no time of their deletion,
// so each deleted one is read.
func (s *Source) planDeletions(name string, since time.Time) (scan, gather, error) {
	at := slices.IndexFunc(deletions, func(d deletion) bool { return d.table == name })
	if at < 0 {
		return scan{}, nil, fmt.Errorf("no deleted rows of %s can be read", name)
	}
	const gone = "`deleted_at_m` >= ?"
	only, conditions := "", []string{gone}
	with := func(column, other, of string) {
		if s.has(other, "deleted_at_m") {
			conditions = append(conditions, s.among(name, column, other, of, gone))
		}
	}
	switch name {
	case "identities":
		conditions = []string{"deleted = 1"}
	case "keys":
		only = "for_workspace_id IS NULL AND "
		with("key_auth_id", "key_auth", "id")
		with("key_auth_id", "apis", "key_auth_id")
	case "ratelimit_overrides":
		with("namespace_id", "ratelimit_namespaces", "id")
	}
	c := scan{table: name, columns: strings.Fields(deletions[at].columns), keys: []string{"id"}, only: only + "(" + strings.Join(conditions, " OR ") + ")"}
	for range strings.Count(c.only, "?") {
		c.values = append(c.values, max(0, since.UnixMilli()))
	}
	return c, func(_ *reader, rows []row) (convert, error) {
		return forEach(rows, func(r row, p *Page) {
			id := r.text("id")
			p.Items = append(p.Items, Item{Table: name, ID: id, Record: deletions[at].record(records.ID(id), r)})
		}), nil
	}, nil
}
