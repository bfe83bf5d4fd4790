package fsm

import "slices"

// keyAccess is what a key was given. Like the details it hangs on it is never changed in place.
type keyAccess struct {
	permissions []*permission // direct permissions, by id; may have deleted ones
	roles       []*role       // by id; may have deleted ones
}

// access returns what the key was given. The lists are not to be written to.
func (k *key) access() keyAccess {
	if k.details == nil || k.details.access == nil {
		return keyAccess{}
	}
	return *k.details.access
}

// give replaces what the key was given.
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

// permissionNames returns the slugs that the key has, each once, in byte order.
func (a keyAccess) permissionNames() []string {
	most := a.held()
	if most == 0 {
		return nil
	}
	if most > manyPermissions && len(a.roles) > 0 {
		a = keyAccess{permissions: a.distinct()}
		most = len(a.permissions)
	}
	names := appendSlugs(make([]string, 0, most), a.permissions)
	for _, r := range a.roles {
		names = appendSlugs(names, r.permissions)
	}
	if len(names) == 0 { // all deleted
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// manyPermissions is from how many on it is cheaper to leave out what several roles have before the names are sorted.
const manyPermissions = 256

// held is how many permissions the lists have, those counted again that are in several.
func (a keyAccess) held() int {
	n := len(a.permissions)
	for _, r := range a.roles {
		n += len(r.permissions)
	}
	return n
}

// distinct returns what is in any of the lists, once, in no particular order.
func (a keyAccess) distinct() []*permission {
	most := len(a.permissions)
	for _, r := range a.roles {
		most = max(most, len(r.permissions))
	}
	seen := make(map[*permission]struct{}, most)
	list := make([]*permission, 0, most)
	add := func(permissions []*permission) {
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

// show is what a verification tells of it; nil when there is nothing to tell.
func (a keyAccess) show() *VerdictAccess {
	if len(a.permissions) == 0 && len(a.roles) == 0 {
		return nil
	}
	shown := &VerdictAccess{Permissions: a.permissionNames(), Roles: a.roleNames()}
	if shown.Permissions == nil && shown.Roles == nil {
		return nil
	}
	return shown
}

// giveKey writes the lists of a key, unless they are as they were.
func (ring *keyring) giveKey(k *key, permissions []*permission, roles []*role) {
	if had := k.access(); slices.Equal(had.permissions, permissions) && slices.Equal(had.roles, roles) {
		return
	}
	ring.beforeChange(k)
	k.give(permissions, roles)
	ring.afterChange(k)
}
