package fsmtest

import (
	"slices"

	"github.com/creditd/creditd/fsm"
)

type migration struct {
	workspace, id string
	algorithm     fsm.Algorithm
	createdAt     int64
}

// rerollStart and rerollKey are contract 2.3, D-7 and D-8.
func (t *Model) rerollStart(root *rootKey, q *fsm.GetRerollStart) fsm.Result {
	k := t.keyByID(root, q.KeyID)
	if k == nil {
		return refusal(fsm.KeyNotFound)
	}
	if r := need(root, either("api", k.api, "create_key")...); r != nil {
		return r
	}
	return &fsm.KeyStart{Text: k.start, Ratelimits: int64(len(k.limits))}
}

func (t *Model) rerollKey(root *rootKey, c *fsm.RerollKey) fsm.Result {
	if r, ok := t.rerollStart(root, &fsm.GetRerollStart{KeyID: c.KeyID}).(*fsm.Refusal); ok {
		return r
	}
	if c.Expiration < 0 || c.Expiration > 4102444800000 {
		return refusal(fsm.InvalidInput)
	}
	if t.keyIDTaken(c.NewID) || t.hashTaken(c.Hash) {
		return refusal(fsm.IDTaken)
	}
	old := t.keyByID(root, c.KeyID)
	if len(old.limits) > len(c.RatelimitIDs) {
		return refusal(fsm.IDTaken)
	}
	if r := t.room(root, fsm.Usage{fsm.KeysQuota: 1}); r != nil {
		return r
	}
	fresh := *old
	fresh.former = fsm.Hash{}
	if t.version >= FifthRules {
		fresh.left = leftover{}
	}
	fresh.permissions, fresh.roles, fresh.limits = slices.Clone(old.permissions), slices.Clone(old.roles), byName(old.limits)
	for i := range fresh.limits {
		fresh.limits[i].ID = c.RatelimitIDs[i]
	}
	fresh.id, fresh.hash, fresh.start = c.NewID, c.Hash, c.Start
	fresh.createdAt, fresh.updatedAt, fresh.usedAt = t.now, 0, 0
	t.keys = append(t.keys, &fresh)
	end := t.now + c.Expiration
	for c.Expiration > 0 && end%60_000 != 0 {
		end++
	}
	if c.Expiration == 0 && t.version >= SecondRules {
		end-- // over at once, even if log time stands still
	}
	if end < old.expires {
		old.expires = end
	}
	return &fsm.Rerolled{ID: c.NewID, Start: c.Start, Nonce: c.Nonce}
}

func (t *Model) keyIDTaken(id string) bool {
	return slices.ContainsFunc(t.keys, func(k *key) bool { return k.id == id })
}

func (t *Model) findMigration(root *rootKey, id string) *migration {
	for _, m := range t.migrations {
		if m.workspace == root.workspace && m.id == id {
			return m
		}
	}
	return nil
}

func (t *Model) createMigration(root *rootKey, c *fsm.CreateMigration) fsm.Result {
	if r := need(root, "cluster.*.operate"); r != nil {
		return r
	}
	if t.findMigration(root, c.ID) != nil {
		return refusal(fsm.MigrationExists)
	}
	t.migrations = append(t.migrations, &migration{root.workspace, c.ID, c.Algorithm, t.now})
	return &fsm.Done{}
}

// migrateKeys is contract 2.3 and D-19. What was added is taken back when a later key is refused.
func (t *Model) migrateKeys(root *rootKey, c *fsm.MigrateKeys) fsm.Result {
	if r := need(root, either("api", c.APIID, "create_key")...); r != nil {
		return r
	}
	if t.findAPI(root, c.APIID) == nil {
		return refusal(fsm.APINotFound)
	}
	m := t.findMigration(root, c.MigrationID)
	if m == nil {
		return refusal(fsm.MigrationNotFound)
	}
	for _, item := range c.Keys {
		if _, ok := opened(item.Credits); !ok {
			return refusal(fsm.InvalidInput)
		}
	}
	used := t.usage(t.workspaceOf(root))
	keys, identities := len(t.keys), len(t.identities)
	permissions, roles, permissionIDs, roleIDs := len(t.permissions), len(t.roles), len(t.permissionIDs), len(t.roleIDs)
	takeBack := func() {
		t.keys, t.identities = t.keys[:keys], t.identities[:identities]
		t.permissions, t.roles = t.permissions[:permissions], t.roles[:roles]
		t.permissionIDs, t.roleIDs = t.permissionIDs[:permissionIDs], t.roleIDs[:roleIDs]
	}
	answer := &fsm.Migrated{}
	var failures []fsm.MigrationFailure
	for _, item := range c.Keys {
		why := fsm.MigrationFailure(0)
		switch repeated := slices.ContainsFunc(t.keys[keys:], func(k *key) bool { return k.hash == item.Hash }); {
		case item.Form != m.algorithm:
			why = fsm.HashUnfit
		case repeated:
			why = fsm.HashRepeated
		case t.hashTaken(item.Hash):
			why = fsm.HashInUse
		case slices.ContainsFunc(t.keys, func(k *key) bool {
			return k.former == item.Hash && t.apiOf(k).workspace == root.workspace && !t.freed(k)
		}):
			why = fsm.HashTakenOver
		}
		failures = append(failures, why)
		if why != 0 {
			answer.IDs = append(answer.IDs, "")
			continue
		}
		linked, ok := "", !t.keyIDTaken(item.ID)
		if ok && item.ExternalID != "" {
			linked, ok = t.link(root, item.ExternalID, item.IdentityID)
		}
		ok = ok && !t.idsTaken(t.unknown(root, item.Permissions))
		var rolesOf []string
		for _, ref := range item.Roles {
			r := t.roleByName(root, ref.Name)
			if r == nil && ok {
				ok = !slices.Contains(t.roleIDs, ref.ID)
				r = &role{id: ref.ID, workspace: root.workspace, name: ref.Name, createdAt: t.now}
				t.roles, t.roleIDs = append(t.roles, r), append(t.roleIDs, ref.ID)
				if ok {
					t.givenIn[ref.ID] = root.workspace
				}
			}
			if ok {
				rolesOf = union(rolesOf, []string{r.id})
			}
		}
		if !ok {
			takeBack()
			return refusal(fsm.IDTaken)
		}
		if t.overfull(nil, t.named(root, item.Permissions), rolesOf) {
			takeBack()
			return refusal(fsm.InvalidInput)
		}
		opening, _ := opened(item.Credits)
		t.keys = append(t.keys, &key{
			id: item.ID, api: c.APIID, name: item.Name, meta: item.Meta, identity: linked, hash: item.Hash,
			enabled: item.Enabled, createdAt: t.now, expires: item.Expires, account: opening,
			permissions: t.resolved(root, item.Permissions), roles: rolesOf, limits: replaced(nil, item.Ratelimits),
		})
		answer.IDs = append(answer.IDs, item.ID)
	}
	w := t.workspaceOf(root)
	for kind, n := range t.usage(w) {
		if q := w.quotas[kind]; q.Limited && n > used[kind] && n > q.Limit {
			takeBack()
			return overQuota()
		}
	}
	if t.version >= SecondRules && slices.Contains(answer.IDs, "") {
		answer.Failures = failures
	}
	return answer
}

func (t *Model) apiOf(k *key) *api {
	return t.apis[slices.IndexFunc(t.apis, func(a *api) bool { return a.id == k.api })]
}

// verifyMigrated is contract 3.3, step 1.
func (t *Model) verifyMigrated(root *rootKey, c *fsm.VerifyMigrated) fsm.Result {
	m := t.findMigration(root, c.MigrationID)
	if m != nil && m.algorithm == fsm.PrefixedAPIKey && c.Hash == (fsm.Hash{}) {
		r := t.verifyKey(root, &c.Verify)
		if v, ok := r.(*fsm.Verdict); ok && v.Code == fsm.NotFound {
			return refusal(fsm.KeyMalformed)
		}
		return r
	}
	k := t.findKey(root, func(k *key) bool { return k.hash == c.Hash })
	if m == nil || m.algorithm != fsm.PrefixedAPIKey || t.hashTaken(c.Verify.Hash) || k == nil ||
		need(root, either("api", k.api, "verify_key")...) != nil {
		return t.verifyKey(root, &c.Verify)
	}
	before := *k
	k.hash, k.start = c.Verify.Hash, c.Start
	if t.version >= SecondRules {
		k.former = before.hash
	}
	r := t.verifyKey(root, &c.Verify)
	v, verified := r.(*fsm.Verdict)
	if !verified || t.version >= SecondRules && v.Code != fsm.Valid { // only who may use the key binds it
		k.hash, k.start, k.former = before.hash, before.start, before.former
	}
	return r
}
