package fsmtest

import (
	"fmt"
	"math"
	"slices"

	"github.com/creditd/creditd/fsm"
)

// imports takes over things of another system, new or seen before, or what their owners have there now. At times it deletes one meanwhile.
func (g *Generator) imports() fsm.Command {
	g.importer = pick(g, rootHash(7), rootHash(7), rootHash(7), other, other) // who may
	if g.chance(2) {
		return &fsm.FinishImport{Most: pick[int64](g, 1, 5, 500)}
	}
	if len(g.imported) > 0 && g.chance(15) {
		return &fsm.DeleteKey{KeyID: g.importedKey()}
	}
	if len(g.imported) > 0 && g.chance(15) { // what the ledger refills meanwhile counts in the bases of its mark
		return &fsm.UpdateKey{KeyID: g.importedKey(), Credits: fsm.CreditsChange{
			Remaining: fsm.Set(g.amount()), Refill: fsm.Set(fsm.Refill{Interval: fsm.Daily, Amount: 1 + g.rng.Int64N(200)}),
		}}
	}
	c := &fsm.ImportRecords{
		OnConflict: pick(g, fsm.FailOnConflict, fsm.SkipOnConflict, fsm.ReplaceOnConflict, fsm.ReplaceOnConflict), Track: g.chance(70),
		Items: make([]fsm.ImportItem, 1+g.rng.IntN(5)),
	}
	if g.chance(50) {
		c.ReadAt = g.now - g.rng.Int64N(1000)
	}
	for i := range c.Items {
		c.Items[i] = g.importItem()
		c.Track = c.Track || c.Items[i].Credits.Refill != (fsm.Refill{})
	}
	return c
}

func (g *Generator) importedKey() string { return pick(g, g.imported...).ID }

func (g *Generator) importItem() fsm.ImportItem {
	if g.chance(45) {
		return g.importThing()
	}
	item := fsm.ImportItem{Credits: fsm.ImportedCredits{Limited: g.chance(85)}}
	if item.Credits.Limited {
		item.Credits.Remaining = g.amount()
		if g.chance(40) {
			item.Credits.RefilledAt = max(0, g.now-1-g.rng.Int64N(pick[int64](g, 1000, 400_000_000)))
		}
	}
	if g.chance(3) {
		item.Credits = fsm.ImportedCredits{Limited: true, Remaining: -1}
	}
	if len(g.imported) > 0 && g.chance(40) {
		item.Record = g.importBalance()
		return item
	}
	if g.chance(30) {
		item.Record = g.importIdentity()
	} else {
		item.Record = g.importKey()
	}
	g.importRefill(&item)
	return item
}

// importRefill lets an owner come with a refill that may have been due.
func (g *Generator) importRefill(item *fsm.ImportItem) {
	c := &item.Credits
	if !c.Limited || c.Remaining < 0 || g.importer != other || g.chance(50) {
		return
	}
	c.Refill = pick(g, fsm.Refill{Interval: fsm.Daily, Amount: 1 + g.rng.Int64N(200)}, fsm.Refill{Interval: fsm.Monthly, Amount: 1 + g.rng.Int64N(200), Day: 31})
	c.Considered = g.now/dayMillis - g.rng.Int64N(3)
}

// byImporter lets refills come to the second workspace only, and imports end in the first one only. Without a mark the ledger compares a balance
// with what it has stored, and the reference model, which refills at midnight, does not know that.
func byImporter(call fsm.Call) fsm.Call {
	switch c := call.Command.(type) {
	case *fsm.FinishImport:
		call.Actor = rootHash(7)
	case *fsm.ImportRecords:
		if slices.ContainsFunc(c.Items, func(i fsm.ImportItem) bool { return i.Credits.Refill != (fsm.Refill{}) }) {
			call.Actor = other
		}
	}
	return call
}

func (g *Generator) importBalance() *fsm.ImportMarkRecord {
	if len(g.importedOwners) > 0 && g.chance(35) {
		return &fsm.ImportMarkRecord{Owner: pick(g, g.importedOwners...).ID, Of: fsm.MarkedIdentity}
	}
	return &fsm.ImportMarkRecord{Owner: g.importedKey(), Of: pick(g, fsm.MarkedKey, fsm.MarkedKey, fsm.MarkedKey, fsm.MarkedKey, fsm.MarkedKey, fsm.MarkedAPI)}
}

// again is mostly one of those that came before, and mostly as it was; nil: make a new one.
func again[T any](g *Generator, list []*T, vary func(*T)) *T {
	if len(list) == 0 || g.chance(45) {
		return nil
	}
	r := *pick(g, list[len(list)-1], pick(g, list...)) // the last one is most likely there
	if g.chance(50) {
		vary(&r)
	}
	return &r
}

// keep remembers what came lately.
func keep[T any](list *[]*T, r *T) *T {
	if *list = append(*list, r); len(*list) > 6 {
		*list = (*list)[1:]
	}
	return r
}

func (g *Generator) importKey() *fsm.KeyRecord {
	if r := again(g, g.imported, g.varyKey); r != nil {
		return r
	}
	n := g.newKeyID()
	r := &fsm.KeyRecord{
		ID: fmt.Sprintf("key_%d", n), Hash: keyHash(n), Start: "sk_i", APIID: g.importedAPI(), Name: g.text(), Meta: g.meta(),
		CreatedAt: g.now - 5, UpdatedAt: pick(g, 0, g.now), LastUsedAt: pick(g, 0, g.now-3), Expires: fsm.Never, Enabled: g.chance(90),
	}
	if g.chance(15) {
		r.IdentityID = g.identityID()
	}
	if g.chance(10) {
		r.FormerHash = keyHash(g.newKeyID())
	}
	if g.chance(20) {
		r.Ratelimits = g.limits(true)
	}
	if g.chance(25) {
		r.Permissions, r.Roles = g.permissionIDList(), slices.Compact([]string{g.roleID(), pick(g, "role_i", g.roleID())})
	}
	return keep(&g.imported, r)
}

// varyKey changes one field, so that each is compared.
func (g *Generator) varyKey(r *fsm.KeyRecord) {
	switch g.rng.IntN(7) {
	case 0:
		r.Name = g.text()
	case 1:
		r.Meta = g.meta()
	case 2:
		r.Enabled = !r.Enabled
	case 3:
		r.Ratelimits = g.limits(true)
	case 4:
		r.Permissions = g.permissionIDList()
	case 5:
		r.IdentityID = pick(g, "", g.identityID())
	case 6:
		r.Expires = g.expires()
	}
}

func (g *Generator) importedAPI() string {
	if g.importer == other {
		return pick(g, "api_3", "api_3", "api_i", "api_1")
	}
	return pick(g, "api_1", "api_2", "api_2", "api_j", "api_3")
}

func (g *Generator) permissionIDList() []string {
	var list []string
	for range pick(g, 0, 1, 1, 2) {
		list = append(list, pick(g, "perm_i", "perm_i", fmt.Sprintf("perm_%d", g.recent(g.permissionIDs, 6))))
	}
	return list
}

func (g *Generator) importIdentity() *fsm.IdentityRecord {
	r := again(g, g.importedOwners, func(r *fsm.IdentityRecord) {
		switch g.rng.IntN(4) { // one at a time, so that each is compared
		case 0:
			r.Meta = g.meta()
		case 1:
			r.Policy = g.policy()
		case 2:
			r.ExternalID = g.externalID()
		case 3:
			r.Ratelimits = g.limits(true)
		}
	})
	if r != nil {
		return r
	}
	return keep(&g.importedOwners, &fsm.IdentityRecord{
		ID: g.newIdentityID(), ExternalID: g.externalID(), Meta: g.meta(), Policy: g.policy(), CreatedAt: g.now - 9, Ratelimits: g.limits(true),
	})
}

// importThing is something that has no balance.
func (g *Generator) importThing() fsm.ImportItem {
	item := fsm.ImportItem{WorkspaceID: pick(g, "", "", "", "", "", "", "ws_1", "ws_2", "ws_9", "ws_none")}
	if list := g.things; len(list) > 0 && g.chance(35) {
		item.Record = pick(g, list[len(list)-1], pick(g, list...))
		if r, ok := item.Record.(*fsm.RoleRecord); ok && g.chance(50) {
			changed := *r
			changed.Description = g.text()
			item.Record = &changed
		}
		return item
	}
	made := g.now - g.rng.Int64N(3)
	switch g.rng.IntN(8) {
	case 0:
		r := &fsm.WorkspaceRecord{ID: "ws_9", Name: g.text(), CreatedAt: pick(g, made, 5), Enabled: g.chance(80)}
		if g.chance(50) {
			r.Quotas[fsm.APIsQuota] = fsm.Quota{Limited: true, Limit: g.rng.Int64N(4)}
		}
		item.Record = r
	case 1:
		item.Record = &fsm.RootKeyRecord{
			ID: pick(g, "key_root_i", "key_root_j"), Hash: rootHash(500 + g.rng.IntN(3)), Name: g.text(), Permissions: []string{"api.*.read_api", "import.*.write"},
			CreatedAt: 5, Expires: fsm.Never, Enabled: true,
		}
	case 2:
		item.Record = &fsm.APIRecord{
			ID: pick(g, "api_3", "api_i", "api_j", fmt.Sprintf("api_%d", g.fresh(&g.apis, math.MaxInt))), KeyspaceID: pick(g, "ks_i", "ks_j"), Name: g.text(), CreatedAt: made, Protected: g.chance(20),
		}
	case 3:
		item.Record = &fsm.MigrationRecord{ID: pick(g, "mig_1", "mig_2", "mig_3"), Algorithm: pick(g, fsm.SHA256, fsm.PrefixedAPIKey), CreatedAt: pick(g, 5, made)}
	case 4:
		item.Record = &fsm.PermissionRecord{ID: pick(g, "perm_i", "perm_j", g.newPermissionID()), Name: g.text(), Slug: pick(g, pick(g, slugs...), "i.1", "I.1", "i.2"), Description: g.text(), CreatedAt: made}
	case 5:
		item.Record = &fsm.RoleRecord{ID: pick(g, "role_i", "role_j", g.newRoleID()), Name: pick(g, pick(g, roleNames...), "i1", "I1", "i2"), Description: g.text(), Permissions: g.permissionIDList(), CreatedAt: made}
	case 6:
		item.Record = &fsm.NamespaceRecord{ID: pick(g, "rlns_1", "rlns_i", fmt.Sprintf("rlns_%d", g.fresh(&g.namespaces, math.MaxInt))), Name: pick(g, pick(g, namespaceNames...), "i1", "i2"), CreatedAt: made}
	case 7:
		g.overrides++
		item.Record = &fsm.OverrideRecord{
			ID: fmt.Sprintf("rlor_%d", g.overrides-g.rng.IntN(3)), NamespaceID: pick(g, "rlns_1", "rlns_i", fmt.Sprintf("rlns_%d", g.rng.IntN(g.namespaces+2))), Identifier: pick(g, identifiers...),
			Limit: g.limit() - 2, Duration: g.duration(), CreatedAt: made,
		}
	}
	if g.things = append(g.things, item.Record); len(g.things) > 8 {
		g.things = g.things[1:]
	}
	return item
}
