package fsmtest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/creditd/creditd/fsm"
)

// auditEntry is contract 7.4. The reference model keeps all of them forever.
type auditEntry struct {
	workspace string
	entry     fsm.AuditEntry
}

// events are the names of contract 7.4 by the command.
func event(c fsm.Command) fsm.Event {
	switch c.(type) {
	case *fsm.CreateWorkspace:
		return fsm.WorkspaceCreated
	case *fsm.UpdateWorkspace:
		return fsm.WorkspaceUpdated
	case *fsm.CreateRootKey:
		return fsm.RootKeyCreated
	case *fsm.RevokeRootKey:
		return fsm.RootKeyRevoked
	case *fsm.CreateAPI:
		return fsm.APICreated
	case *fsm.DeleteAPI:
		return fsm.APIDeleted
	case *fsm.CreateKey:
		return fsm.KeyCreated
	case *fsm.UpdateKey:
		return fsm.KeyUpdated
	case *fsm.DeleteKey:
		return fsm.KeyDeleted
	case *fsm.RerollKey:
		return fsm.KeyRerolled
	case *fsm.ImportRecords:
		return fsm.RecordsImported
	case *fsm.FinishImport:
		return fsm.ImportEnded
	case *fsm.MigrateKeys:
		return fsm.KeysMigrated
	case *fsm.UpdateKeyCredits:
		return fsm.KeyCreditsUpdated
	case *fsm.LinkKeyPermissions:
		return fsm.KeyPermissionsUpdated
	case *fsm.LinkKeyRoles:
		return fsm.KeyRolesUpdated
	case *fsm.CreateIdentity:
		return fsm.IdentityCreated
	case *fsm.UpdateIdentity:
		return fsm.IdentityUpdated
	case *fsm.DeleteIdentity:
		return fsm.IdentityDeleted
	case *fsm.UpdateIdentityCredits:
		return fsm.IdentityCreditsUpdated
	case *fsm.CreatePermission:
		return fsm.PermissionCreated
	case *fsm.DeletePermission:
		return fsm.PermissionDeleted
	case *fsm.CreateRole:
		return fsm.RoleCreated
	case *fsm.SetRolePermissions:
		return fsm.RoleUpdated
	case *fsm.DeleteRole:
		return fsm.RoleDeleted
	case *fsm.CreateMigration:
		return fsm.MigrationCreated
	case *fsm.ConsumeRatelimits:
		return fsm.NamespaceCreated
	case *fsm.SetOverride:
		return fsm.OverrideSet
	case *fsm.DeleteOverride:
		return fsm.OverrideDeleted
	default:
		return fsm.Unaudited
	}
}

// picture is everything there is, in words: what differs between two of them was changed in between.
type picture struct {
	things   map[fsm.AuditResource]string
	balances map[fsm.AuditResource]fsm.Credits
}

// picture leaves out which permissions and roles somebody has that do not exist later: see contract 7.4.
func (t *Model) picture(later *Model) picture {
	p := picture{map[fsm.AuditResource]string{}, map[fsm.AuditResource]fsm.Credits{}}
	see := func(kind fsm.ResourceType, id string, state ...any) {
		p.things[fsm.AuditResource{Type: kind, ID: id}] += fmt.Sprintf("%+v", state)
	}
	var permissions, roles []string
	for _, q := range later.permissions {
		permissions = append(permissions, q.id)
	}
	for _, r := range later.roles {
		roles = append(roles, r.id)
	}
	among := func(list, existing []string) []string {
		kept := slices.DeleteFunc(slices.Clone(list), func(id string) bool { return !slices.Contains(existing, id) })
		slices.Sort(kept)
		return kept
	}
	for _, w := range t.workspaces {
		see(fsm.WorkspaceResource, w.id, *w)
	}
	for _, r := range t.rootKeys {
		see(fsm.RootKeyResource, r.id, *r)
	}
	for _, a := range t.apis {
		see(fsm.APIResource, a.id, *a)
	}
	for _, m := range t.migrations {
		see(fsm.MigrationResource, m.id, m.workspace, *m)
	}
	for _, q := range t.permissions {
		see(fsm.PermissionResource, q.id, *q)
	}
	for _, r := range t.roles {
		see(fsm.RoleResource, r.id, r.name, r.description, r.createdAt, among(r.permissions, permissions))
	}
	for _, i := range t.identities {
		see(fsm.IdentityResource, i.id, i.externalID, i.createdAt, i.meta, i.policy, byName(i.limits), i.deleted)
		p.balances[fsm.AuditResource{Type: fsm.IdentityResource, ID: i.id}] = i.account.shown()
	}
	for _, k := range t.keys {
		see(fsm.KeyResource, k.id, k.start, k.name, k.meta, k.identity, k.lost && k.identity == "", k.hash, k.enabled, k.deleted, k.createdAt, k.updatedAt, k.usedAt, k.former, k.expires, byName(k.limits),
			among(k.permissions, permissions), among(k.roles, roles))
		p.balances[fsm.AuditResource{Type: fsm.KeyResource, ID: k.id}] = k.account.shown()
	}
	for _, n := range t.namespaces {
		see(fsm.NamespaceResource, n.id, n.name, n.createdAt)
		for _, o := range n.overrides {
			see(fsm.OverrideResource, o.ID, o)
		}
	}
	return p
}

// clone is a copy that keeps what there was.
func (t *Model) clone() *Model {
	c := *t
	c.workspaces, c.rootKeys, c.apis, c.identities = copies(t.workspaces), copies(t.rootKeys), copies(t.apis), copies(t.identities)
	c.keys, c.migrations, c.permissions, c.roles = copies(t.keys), copies(t.migrations), copies(t.permissions), copies(t.roles)
	c.namespaces = copies(t.namespaces)
	for _, n := range c.namespaces {
		n.overrides = slices.Clone(n.overrides)
	}
	return &c
}

func copies[T any](list []*T) []*T {
	var all []*T
	for _, v := range list {
		c := *v
		all = append(all, &c)
	}
	return all
}

// audited carries a command out and notes what is different afterwards.
func (t *Model) audited(call fsm.Call, index uint64, root *rootKey) fsm.Result {
	what := event(call.Command)
	if what == fsm.Unaudited || what == fsm.ImportEnded && t.version < FifthRules {
		return t.execute(root, call.Command)
	}
	id, name, workspace := root.id, root.name, root.workspace
	old := t.clone()
	r := t.execute(root, call.Command)
	if _, refused := r.(*fsm.Refusal); refused {
		return r
	}
	before, after := old.picture(t), t.picture(t)
	entry := fsm.AuditEntry{Index: index, Time: t.now, Event: what, ActorID: id, ActorName: name, Origin: call.Origin}
	var touched []fsm.AuditResource
	balances := map[fsm.AuditResource]fsm.AuditBalance{}
	for _, p := range []picture{before, after} {
		for thing := range p.things {
			was, is := before.balances[thing], after.balances[thing]
			if was != is {
				balances[thing] = fsm.AuditBalance{
					Owner: thing, Before: fsm.Balance{Limited: was.Limited, Remaining: was.Remaining},
					After: fsm.Balance{Limited: is.Limited, Remaining: is.Remaining},
				}
			}
			if (was != is || before.things[thing] != after.things[thing]) && !slices.Contains(touched, thing) {
				touched = append(touched, thing)
			}
		}
	}
	if len(t.marks) < len(old.marks) { // a mark is no thing: it counts as its workspace
		touched = append(touched, fsm.AuditResource{Type: fsm.WorkspaceResource, ID: workspace})
	}
	slices.SortFunc(touched, func(a, b fsm.AuditResource) int {
		if a.Type != b.Type {
			return int(a.Type) - int(b.Type)
		}
		return strings.Compare(a.ID, b.ID)
	})
	for i, thing := range touched {
		if i >= 100 {
			entry.Omitted++
			continue
		}
		entry.Resources = append(entry.Resources, thing)
		if b, ok := balances[thing]; ok {
			entry.Balances = append(entry.Balances, b)
		}
	}
	if len(touched) > 0 {
		t.audit = append(t.audit, auditEntry{workspace, entry})
	}
	return r
}

// listAudit is contract 7.4. The cursor is that of the ledger: the reference model learns from it where the page begins.
func (t *Model) listAudit(root *rootKey, q *fsm.ListAudit) fsm.Result {
	if r := need(root, "audit.*.read"); r != nil {
		return r
	}
	answer := &fsm.AuditEntries{}
	sameTime := map[int64]int{}
	var names []string
	var all []fsm.AuditEntry
	for _, e := range t.audit {
		if e.workspace != root.workspace {
			continue
		}
		all = append(all, e.entry)
		names = append(names, fmt.Sprintf("%016x-%08x", e.entry.Time, sameTime[e.entry.Time]))
		sameTime[e.entry.Time]++
	}
	for i := len(all) - 1; i >= 0; i-- {
		e := all[i]
		old := time.UnixMilli(t.now).Sub(time.UnixMilli(e.Time)) >= 30*24*time.Hour
		switch {
		case old || e.Time < q.From || e.Time >= q.To || q.Page.Cursor != "" && names[i] > q.Page.Cursor:
			continue
		case len(answer.List) == q.Page.Limit:
			answer.Next = names[i]
			return answer
		}
		concerns := slices.ContainsFunc(e.Resources, func(r fsm.AuditResource) bool { return r.ID == q.ResourceID })
		if (q.ActorID == "" || q.ActorID == e.ActorID) && (q.Event == "" || q.Event == e.Event.String()) && (q.ResourceID == "" || concerns) {
			answer.List = append(answer.List, e)
		}
	}
	return answer
}
