package unkey

import (
	"regexp"

	"github.com/creditd/creditd/api/records"
)

// plainExternalID is the form of an externalId in keys.createKey.
var plainExternalID = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// around is what belongs to the keys of a page.
type around struct {
	apis, spaces, migrations   map[string][]row
	identities, owners         map[string][]row // owners: the balances of identities
	credits, limits, encrypted map[string][]row
	permissions, roles         map[string][]records.ID
}

func (from *reader) around(rows []row) (a around, err error) {
	ids, spaces, identities := distinct(rows, "id"), distinct(rows, "key_auth_id"), distinct(rows, "identity_id")
	for _, one := range []struct {
		into          *map[string][]row
		table, column string
		of            []string
		columns       []string
	}{
		{&a.apis, "apis", "key_auth_id", spaces, []string{"id", "deleted_at_m", "workspace_id"}},
		{&a.spaces, "key_auth", "id", spaces, []string{"deleted_at_m"}},
		{&a.migrations, "key_migrations", "id", distinct(rows, "pending_migration_id"), []string{"algorithm", "workspace_id"}},
		{&a.identities, "identities", "id", identities, []string{"deleted", "workspace_id"}},
		{&a.owners, "credits", "identity_id", identities, nil},
		{&a.credits, "credits", "key_id", ids, []string{"identity_id", "remaining", "refill_day", "refill_amount", "refilled_at"}},
		{&a.limits, "ratelimits", "key_id", ids, ratelimitColumns},
		{&a.encrypted, "encrypted_keys", "key_id", ids, []string{"encryption_key_id"}},
	} {
		if *one.into, err = from.related(one.table, one.column, one.of, one.columns...); err != nil {
			return a, err
		}
	}
	if a.permissions, err = from.links("keys_permissions", "key_id", "permission_id", "permissions", ids); err != nil {
		return a, err
	}
	a.roles, err = from.links("keys_roles", "key_id", "role_id", "roles", ids)
	return a, err
}

func (s *Source) keys(from *reader, rows []row) (convert, error) {
	a, err := from.around(rows)
	if err != nil {
		return nil, err
	}
	return forEach(rows, func(r row, p *Page) { s.key(r, &a, p) }), nil
}

var (
	plainKeyColumns = map[string]string{
		"id": "id", "hash": "hash", "start": "start", "name": "name", "meta": "meta", "expires": "expires", "createdAt": "created_at_m", "updatedAt": "updated_at_m",
		"lastUsedAt": "last_used_at", "permissions": "keys_permissions", "roles": "keys_roles",
	}
	keyColumns        = withParts(ownColumns, plainKeyColumns)
	keyWithRowColumns = withParts(creditColumns, plainKeyColumns) // its balance is a row of credits
)

// key turns a row into a record.
func (s *Source) key(r row, a *around, p *Page) {
	d := &draft{page: p, table: "keys", id: r.text("id")}
	if r.has("for_workspace_id") {
		p.skip(SkipRootKey)
		return
	}
	if r.has("deleted_at_m") {
		p.skip(SkipDeleted)
		return
	}
	api, deleted := s.apiOf(d, r, a)
	if deleted {
		p.skip(SkipDeleted)
		return
	}
	key := &records.Key{
		ID: records.ID(d.id), APIID: records.ID(api), Hash: d.hash(r, s.algorithm(d, r, a)), Start: r.text("start"), Name: r.text("name"), Meta: d.meta(r),
		Enabled: r.isSet("enabled"), Expires: d.datetime(r, "expires", "expires"), Ratelimits: d.ratelimits(s, a.limits[d.id]),
		Permissions: s.linked(d, a.permissions[d.id], "permissions", "keys_permissions"), Roles: s.linked(d, a.roles[d.id], "roles", "keys_roles"),
		CreatedAt: d.millis(r, "created_at_m", "created_at_m"), UpdatedAt: d.millis(r, "updated_at_m", "updated_at_m"),
		LastUsedAt: d.millis(r, "last_used_at", "last_used_at"),
	}
	columns := keyColumns
	if rows := a.credits[d.id]; len(rows) > 0 {
		columns = keyWithRowColumns
		key.Credits = d.creditRow(rows[0], "identity_id", s.days)
	} else {
		key.Credits = d.balance(r, ownColumns, s.days)
	}
	key.IdentityID = records.ID(s.identityOf(d, r, a, key.Credits != nil))
	if len(a.encrypted[d.id]) > 0 {
		d.notes = append(d.notes, Problem{"encrypted_keys", d.id, "encrypted", Partly, "the text of the key lies in another vault: the cluster cannot show it"})
	}
	d.environment(r)
	if owner := r.text("owner_id"); owner != "" && !r.has("identity_id") {
		d.note(Partly, "owner_id", "the cluster has identities and no owners; this one is "+owner)
	}
	d.finish(records.Record{Key: key}, columns)
}

// apiOf finds the API of a key through its keyspace.
func (s *Source) apiOf(d *draft, r row, a *around) (id string, deleted bool) {
	space := r.text("key_auth_id")
	apis := a.apis[space]
	switch {
	case len(a.spaces[space]) > 0 && a.spaces[space][0].has("deleted_at_m"):
		return "", true
	case len(apis) == 0:
		d.lose("key_auth_id", "no API has the keyspace "+space)
		return "", false
	case len(apis) > 1:
		d.lose("key_auth_id", "several APIs have the keyspace "+space)
		return "", false
	case apis[0].has("deleted_at_m"):
		return "", true
	case apis[0].text("workspace_id") != s.workspace:
		d.lose("key_auth_id", "its API belongs to the workspace "+apis[0].text("workspace_id"))
	case s.missing["apis"][apis[0].text("id")]:
		d.lose("key_auth_id", "its API is not taken over")
	}
	return apis[0].text("id"), false
}

// algorithm is that of the migration that a key waits for; empty: none.
func (s *Source) algorithm(d *draft, r row, a *around) string {
	pending := r.text("pending_migration_id")
	if pending == "" {
		return ""
	}
	for _, m := range a.migrations[pending] {
		if m.text("workspace_id") == s.workspace {
			return m.text("algorithm")
		}
	}
	d.lose("pending_migration_id", "there is no migration "+pending)
	return ""
}

// identityOf returns the identity of a key if it is there. A deleted one is never replaced by a living one of the same name. A key without a
// balance of its own that its identity paid for must not become unlimited.
func (s *Source) identityOf(d *draft, r row, a *around, limited bool) string {
	id := r.text("identity_id")
	if id == "" {
		return ""
	}
	found := a.identities[id]
	why := ""
	switch {
	case len(found) == 0 || found[0].text("workspace_id") != s.workspace:
		why = "there is no identity " + id
	case found[0].isSet("deleted"):
		why = "the identity " + id + " was deleted"
	case s.missing["identities"][id]:
		d.lose("identity_id", "the identity "+id+" is not taken over")
		return ""
	default:
		return id
	}
	switch {
	case !limited && len(a.owners[id]) > 0:
		d.lose("identity_id", why+", and its balance paid for the key, which would be unlimited without it")
	default:
		d.note(Partly, "identity_id", why+": the key has none")
	}
	return ""
}

// linked returns the links to what is taken over, and reports the others.
func (s *Source) linked(d *draft, ids []records.ID, table, links string) []records.ID {
	kept := s.kept(ids, table)
	if len(kept) < len(ids) {
		for _, id := range ids {
			if s.missing[table][string(id)] {
				d.note(Partly, links, "it loses "+string(id)+", which is not taken over")
			}
		}
	}
	return kept
}
