package fsm

import "slices"

// keyAccess holds the permissions and roles of a key. It never changes in place.
type keyAccess struct {
	permissions []*permission // direct permissions, by id; may contain deleted ones
	roles       []*role       // by id; may contain deleted ones
}

// access returns the permissions and roles of the key. The caller must not change the lists.
func (k *key) access() keyAccess {
	if k.details == nil || k.details.access == nil {
		return keyAccess{}
	}
	return *k.details.access
}

// give replaces the permissions and roles of a key that is not in the ledger: see exchange.
func (k *key) give(permissions []*permission, roles []*role) {
	var d keyDetails
	if k.details != nil {
		d = *k.details
	}
	d.access = nil
	if len(permissions) > 0 || len(roles) > 0 {
		d.access = &keyAccess{permissions: permissions, roles: roles}
	}
	k.replaceDetails(d)
}

// permissionNames returns the slugs of the key's permissions without repetitions, in byte order. Of longer lists only the first permissions
// count: the key's own ones first, then those of its roles, each in the order of ids.
func (a keyAccess) permissionNames(most int) []string {
	held := a.held()
	if held == 0 {
		return nil
	}
	if held > most || held > manyPermissions && len(a.roles) > 0 {
		a = keyAccess{permissions: a.distinct(most)}
		held = len(a.permissions)
	}
	names := appendSlugs(make([]string, 0, held), a.permissions)
	for _, r := range a.roles {
		names = appendSlugs(names, r.permissions)
	}
	if len(names) == 0 { // all deleted
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// manyPermissions is the number above which removing repeated permissions before sorting is cheaper, and a query does not need the sorted
// list: see verifier.permits.
const manyPermissions = 256

// held counts the permissions of all lists, repetitions included.
func (a keyAccess) held() int {
	n := len(a.permissions)
	for _, r := range a.roles {
		n += len(r.permissions)
	}
	return n
}

// distinct returns the first permissions of all lists without repetitions, in no particular order.
func (a keyAccess) distinct(most int) []*permission {
	longest := len(a.permissions)
	for _, r := range a.roles {
		longest = max(longest, len(r.permissions))
	}
	longest = min(longest, most)
	seen := make(map[*permission]struct{}, longest)
	list := make([]*permission, 0, longest)
	add := func(permissions []*permission) {
		permissions = permissions[:min(most, len(permissions))]
		most -= len(permissions)
		for _, p := range permissions {
			if _, again := seen[p]; !again {
				seen[p] = struct{}{}
				list = append(list, p)
			}
		}
	}
	add(a.permissions)
	for _, r := range a.roles {
		add(r.permissions)
	}
	return list
}

func appendSlugs(names []string, list []*permission) []string {
	for _, p := range list {
		if !p.deleted {
			names = append(names, p.slug)
		}
	}
	return names
}

// roleNames returns the names of the key's roles in byte order.
func (a keyAccess) roleNames() []string {
	var names []string
	for at, r := range a.roles {
		if r.deleted {
			continue
		}
		if names == nil {
			names = make([]string, 0, len(a.roles)-at)
		}
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}

// show is the access as a verdict shows it; nil: there is none. See permissionNames.
func (a keyAccess) show(most int) *VerdictAccess {
	if len(a.permissions) == 0 && len(a.roles) == 0 {
		return nil
	}
	shown := &VerdictAccess{Permissions: a.permissionNames(most), Roles: a.roleNames()}
	if shown.Permissions == nil && shown.Roles == nil {
		return nil
	}
	return shown
}

// giveKey replaces the lists of a key, unless they are equal to the old ones.
func (ring *keyring) giveKey(k *key, permissions []*permission, roles []*role) {
	if had := k.access(); slices.Equal(had.permissions, permissions) && slices.Equal(had.roles, roles) {
		return
	}
	ring.beforeChange(k)
	ring.exchange(k, keyAccess{permissions, roles})
	ring.afterChange(k)
}

// exchange replaces the permissions and roles of a key that is about to change.
func (ring *keyring) exchange(k *key, given keyAccess) {
	had := k.access()
	k.give(given.permissions, given.roles)
	ring.access.refer(given, 1)
	ring.access.refer(had, -1)
}

// live is the lists without what is deleted.
func (a keyAccess) live() keyAccess {
	return keyAccess{sortedPermissions(slices.Clone(a.permissions)), sortedRoles(slices.Clone(a.roles))}
}

// hides reports whether something in the lists is deleted.
func (a keyAccess) hides() bool {
	return slices.ContainsFunc(a.permissions, (*permission).gone) || slices.ContainsFunc(a.roles, (*role).gone)
}
