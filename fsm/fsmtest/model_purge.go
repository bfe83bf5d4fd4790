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
	for range 16 {
		t.purgeOne()
	}
}

// purgeOne takes keys first, then identities, then APIs, each in the order of ids.
func (t *Model) purgeOne() {
	if k := least(t.keys, func(k *key) bool { return k.deleted }, func(a, b *key) int { return strings.Compare(a.id, b.id) }); k != nil {
		t.dropKey(k)
		return
	}
	doomed := func(i *identity) bool {
		return i.deleted && (i.ended || i.meta != "" || len(i.limits) > 0 || t.firstKey(func(k *key) bool { return k.identity == i.id }) == nil)
	}
	if i := least(t.identities, doomed, func(a, b *identity) int { return strings.Compare(a.id, b.id) }); i != nil {
		k := t.firstKey(func(k *key) bool { return k.identity == i.id })
		switch {
		case k == nil:
			t.identities = slices.DeleteFunc(t.identities, func(other *identity) bool { return other == i })
		case i.ended:
			t.dropKey(k)
		default:
			i.meta, i.limits = "", nil
		}
		return
	}
	if a := least(t.apis, func(a *api) bool { return a.deleted }, func(a, b *api) int { return strings.Compare(a.id, b.id) }); a != nil {
		if k := t.firstKey(func(k *key) bool { return k.api == a.id }); k != nil {
			t.dropKey(k)
			return
		}
		t.apis = slices.DeleteFunc(t.apis, func(other *api) bool { return other == a })
		return
	}
	if t.version >= FifthRules {
		t.purgeLinks()
	}
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
