package fsm

import "slices"

// keyAccess is what a key was given. Like the details it hangs on it is never changed in place.
type keyAccess struct {
	slugs []*slug // direct permissions, by id; may have deleted ones
	roles []*role // by id; may have deleted ones
}

// access returns what the key was given. The lists are not to be written to.
func (k *key) access() keyAccess {
	if k.details == nil || k.details.access == nil {
		return keyAccess{}
	}
	return *k.details.access
}

// give replaces what the key was given.
func (k *key) give(slugs []*slug, roles []*role) {
	var d keyDetails
	if k.details != nil {
		d = *k.details
	}
	d.access = nil
	if len(slugs) > 0 || len(roles) > 0 {
		d.access = &keyAccess{slugs: slugs, roles: roles}
	}
	k.detail(d)
}

// permissionNames returns the slugs that the key has, each once, in byte order.
func (a keyAccess) permissionNames() []string {
	most := a.held()
	if most == 0 {
		return nil
	}
	if most > manySlugs && len(a.roles) > 0 {
		a = keyAccess{slugs: a.distinct()}
		most = len(a.slugs)
	}
	names := appendSlugs(make([]string, 0, most), a.slugs)
	for _, r := range a.roles {
		names = appendSlugs(names, r.slugs)
	}
	if len(names) == 0 { // all deleted
		return nil
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// manySlugs is from how many on it is cheaper to leave out what several roles have before the names are sorted.
const manySlugs = 256

// held is how many permissions the lists have, those counted again that are in several.
func (a keyAccess) held() int {
	n := len(a.slugs)
	for _, r := range a.roles {
		n += len(r.slugs)
	}
	return n
}

// distinct returns what is in any of the lists, once, in no particular order.
func (a keyAccess) distinct() []*slug {
	most := len(a.slugs)
	for _, r := range a.roles {
		most = max(most, len(r.slugs))
	}
	seen := make(map[*slug]struct{}, most)
	list := make([]*slug, 0, most)
	add := func(slugs []*slug) {
		for _, p := range slugs {
			if _, again := seen[p]; !again {
				seen[p] = struct{}{}
				list = append(list, p)
			}
		}
	}
	add(a.slugs)
	for _, r := range a.roles {
		add(r.slugs)
	}
	return list
}

func appendSlugs(names []string, list []*slug) []string {
	for _, p := range list {
		if !p.deleted {
			names = append(names, p.text)
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
	if len(a.slugs) == 0 && len(a.roles) == 0 {
		return nil
	}
	shown := &VerdictAccess{Permissions: a.permissionNames(), Roles: a.roleNames()}
	if shown.Permissions == nil && shown.Roles == nil {
		return nil
	}
	return shown
}

// giveKey writes the lists of a key, unless they are as they were.
func (ring *keyring) giveKey(k *key, slugs []*slug, roles []*role) {
	if had := k.access(); slices.Equal(had.slugs, slugs) && slices.Equal(had.roles, roles) {
		return
	}
	ring.change(k)
	k.give(slugs, roles)
	ring.changed(k)
}
