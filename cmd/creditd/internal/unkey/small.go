package unkey

import (
	"fmt"
	"strings"

	"github.com/creditd/creditd/api/records"
)

func (s *Source) migrations(_ *reader, rows []row) (convert, error) {
	columns := map[string]string{"id": "id", "algorithm": "algorithm"}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "key_migrations", id: r.text("id")}
		// The table keeps no time. One that never moves makes a second run find the same record.
		d.finish(records.Record{Migration: &records.Migration{ID: r.text("id"), Algorithm: r.text("algorithm"), CreatedAt: 1}}, columns)
	}), nil
}

func (s *Source) permissions(_ *reader, rows []row) (convert, error) {
	slug := "slug"
	if !s.has("permissions", slug) {
		slug = "name" // older: the name is the text
	}
	columns := map[string]string{"id": "id", "name": "name", "slug": slug, "description": "description"}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "permissions", id: r.text("id")}
		d.finish(records.Record{Permission: &records.Permission{
			ID: records.ID(r.text("id")), Name: r.text("name"), Slug: r.text(slug), Description: r.text("description"),
			CreatedAt: d.millis(r, "created_at_m", "created_at_m"),
		}}, columns)
		s.lost(d)
	}), nil
}

func (s *Source) roles(from *reader, rows []row) (convert, error) {
	columns := map[string]string{"id": "id", "name": "name", "description": "description", "permissions": "roles_permissions"}
	links, err := from.links("roles_permissions", "role_id", "permission_id", "permissions", distinct(rows, "id"))
	if err != nil {
		return nil, err
	}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "roles", id: r.text("id")}
		d.finish(records.Record{Role: &records.Role{
			ID: records.ID(r.text("id")), Name: r.text("name"), Description: r.text("description"),
			Permissions: s.linked(d, links[r.text("id")], "permissions", "roles_permissions"), CreatedAt: d.millis(r, "created_at_m", "created_at_m"),
		}}, columns)
		s.lost(d)
	}), nil
}

func (s *Source) apis(from *reader, rows []row) (convert, error) {
	columns := map[string]string{"id": "id", "name": "name", "keyspaceId": "key_auth_id", "createdAt": "created_at_m"}
	spaces, err := from.related("key_auth", "id", distinct(rows, "key_auth_id"), "deleted_at_m")
	if err != nil {
		return nil, err
	}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "apis", id: r.text("id")}
		if r.has("deleted_at_m") {
			p.skip(SkipDeleted)
			return
		}
		if addresses := strings.TrimSpace(r.text("ip_whitelist")); addresses != "" {
			d.note(Partly, "ip_whitelist", fmt.Sprintf("the cluster lets keys of every address in; these were allowed: %s", addresses))
		}
		keyspace := r.text("key_auth_id")
		if keyspace != "" && len(spaces[keyspace]) == 0 {
			d.note(Partly, "key_auth_id", "there is no key_auth "+keyspace)
			keyspace = ""
		}
		d.finish(records.Record{API: &records.API{
			ID: records.ID(d.id), Name: r.text("name"), KeyspaceID: records.ID(keyspace), CreatedAt: d.millis(r, "created_at_m", "created_at_m"),
			Protected: r.isSet("delete_protection"),
		}}, columns)
		s.lost(d)
	}), nil
}

func (s *Source) namespaces(_ *reader, rows []row) (convert, error) {
	columns := map[string]string{"id": "id", "name": "name"}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "ratelimit_namespaces", id: r.text("id")}
		if r.has("deleted_at_m") {
			p.skip(SkipDeleted)
			return
		}
		d.finish(records.Record{Namespace: &records.Namespace{
			ID: records.ID(d.id), Name: r.text("name"), CreatedAt: d.millis(r, "created_at_m", "created_at_m"),
		}}, columns)
		s.lost(d)
	}), nil
}

func (s *Source) overrides(from *reader, rows []row) (convert, error) {
	columns := map[string]string{"id": "id", "identifier": "identifier", "limit": "limit", "duration": "duration"}
	spaces, err := from.related("ratelimit_namespaces", "id", distinct(rows, "namespace_id"), "deleted_at_m", "workspace_id")
	if err != nil {
		return nil, err
	}
	return forEach(rows, func(r row, p *Page) {
		d := &draft{page: p, table: "ratelimit_overrides", id: r.text("id")}
		space := spaces[r.text("namespace_id")]
		switch {
		case r.has("deleted_at_m"):
			p.skip(SkipDeleted)
			return
		case len(space) == 0 || space[0].text("workspace_id") != s.workspace:
			d.lose("namespace_id", "there is no namespace "+r.text("namespace_id"))
		case space[0].has("deleted_at_m"):
			p.skip(SkipParent)
			return
		case s.missing["ratelimit_namespaces"][r.text("namespace_id")]:
			d.lose("namespace_id", "its namespace is not taken over")
		}
		d.finish(records.Record{Override: &records.Override{
			ID: records.ID(d.id), NamespaceID: records.ID(r.text("namespace_id")), Identifier: r.text("identifier"),
			Limit: d.number(r, "limit", "limit"), Duration: d.number(r, "duration", "duration"), CreatedAt: d.millis(r, "created_at_m", "created_at_m"),
		}}, columns)
	}), nil
}
