package fsmtest

import (
	"cmp"
	"slices"
	"strings"
)

// purge is contract 7.2, D-65 and D-104: with each entry that moves log time, sixteen steps that remove what is deleted.
func (t *Model) purge() {
	if t.version < FourthRules {
		return
	}
	if t.version < FifthRules {
		for range 16 {
			if step := t.nextGrave(func(string) bool { return true }); step != nil {
				step()
			}
		}
		return
	}
	var waiting []string
	for _, w := range t.workspaces {
		if t.graveIn(w.id) != nil {
			waiting = append(waiting, w.id)
		}
	}
	if len(waiting) == 0 {
		return
	}
	slices.Sort(waiting)
	start := int(t.now % int64(len(waiting)))
	round := slices.Concat(waiting[start:], waiting[:start])
	round = round[:min(16, len(round))]
	for steps := 0; steps < 16 && len(round) > 0; {
		var left []string
		for _, w := range round {
			if step := t.graveIn(w); step != nil && steps < 16 {
				step()
				steps++
				left = append(left, w)
			}
		}
		round = left
	}
}

func (t *Model) graveIn(workspace string) (step func()) {
	return t.nextGrave(func(id string) bool { return id == workspace })
}

// nextGrave takes keys first, then identities, then APIs, each in the order of ids, then what is unlinked. nil: there is nothing to do.
func (t *Model) nextGrave(in func(workspace string) bool) (step func()) {
	if k := least(t.keys, func(k *key) bool { return k.deleted && in(t.apiOf(k).workspace) }, func(a, b *key) int { return strings.Compare(a.id, b.id) }); k != nil {
		return func() { t.dropKey(k) }
	}
	byID := func(a, b *identity) int { return strings.Compare(a.id, b.id) }
	ofIdentity := func(i *identity) *key { return t.firstKey(func(k *key) bool { return k.identity == i.id }) }
	doomed := func(i *identity) bool {
		return i.deleted && in(i.workspace) && (i.ended || i.meta != "" || len(i.limits) > 0 || ofIdentity(i) == nil)
	}
	if i := least(t.identities, doomed, byID); i != nil {
		switch k := ofIdentity(i); {
		case k == nil:
			return func() {
				t.identities = slices.DeleteFunc(t.identities, func(other *identity) bool { return other == i })
			}
		case i.ended:
			return func() { t.dropKey(k) }
		default:
			return func() { i.meta, i.limits = "", nil }
		}
	}
	if a := least(t.apis, func(a *api) bool { return a.deleted && in(a.workspace) }, func(a, b *api) int { return strings.Compare(a.id, b.id) }); a != nil {
		if k := t.firstKey(func(k *key) bool { return k.api == a.id }); k != nil {
			return func() { t.dropKey(k) }
		}
		return func() { t.apis = slices.DeleteFunc(t.apis, func(other *api) bool { return other == a }) }
	}
	if t.version < FifthRules {
		return nil
	}
	if i := least(t.identities, func(i *identity) bool { return i.deleted && in(i.workspace) }, byID); i != nil {
		return func() { ofIdentity(i).identity = "" }
	}
	lives := func(id string) bool {
		return slices.ContainsFunc(t.permissions, func(p *permission) bool { return p.id == id }) ||
			slices.ContainsFunc(t.roles, func(r *role) bool { return r.id == id })
	}
	for _, ids := range []*[]string{&t.permissionIDs, &t.roleIDs} {
		for _, id := range slices.Sorted(slices.Values(*ids)) {
			if in(t.givenIn[id]) && !lives(id) && t.heldBy(id) == 0 {
				return func() { *ids = without(*ids, id) }
			}
		}
	}
	return nil
}

// firstKey is the first of some keys, by API and id.
func (t *Model) firstKey(of func(*key) bool) *key {
	return least(t.keys, of, func(a, b *key) int { return cmp.Or(strings.Compare(a.api, b.api), strings.Compare(a.id, b.id)) })
}

func (t *Model) dropKey(k *key) {
	t.forget("key "+k.id, k.limits)
	t.keys = slices.DeleteFunc(t.keys, func(other *key) bool { return other == k })
}

func least[T any](list []*T, of func(*T) bool, order func(a, b *T) int) (first *T) {
	for _, item := range list {
		if of(item) && (first == nil || order(item, first) < 0) {
			first = item
		}
	}
	return first
}

// unbind is what becomes of a key that is unlimited of its own: it never again asks the balance of a deleted identity.
func (t *Model) unbind(k *key) {
	for _, i := range t.identities {
		if i.id == k.identity && i.deleted && i.hadBalance {
			k.identity = ""
		}
	}
}
