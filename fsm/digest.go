package fsm

import (
	"fmt"
	"math/bits"
)

// Digest is an order-independent hash of all records: the sum of one hash per record. Two ledgers with the same records have
// the same digest, in whatever order the records came to be. It finds damage and divergence; it is no defence against somebody
// who makes records collide on purpose.
//
// Log time is not part of it, so that it stands still while only reads arrive.
type Digest struct{ A, B uint64 }

// String is the digest in hexadecimal.
func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d.A, d.B) }

func (d Digest) plus(e Digest) Digest { return Digest{d.A + e.A, d.B + e.B} }

func (d Digest) minus(e Digest) Digest { return Digest{d.A - e.A, d.B - e.B} }

// Digest returns the digest of the present state.
func (s *State) Digest() Digest {
	return s.sum.plus(digestOf(&MetaRecord{ClusterID: s.clusterID, Books: s.books, Sessions: s.opened}))
}

// hasher hashes a sequence of words in two independent lanes. Each step is a bijection of the lane for a given word, so no input
// makes it forget what came before.
type hasher struct{ a, b uint64 }

func newHasher(kind Kind) hasher {
	return hasher{a: 0x9e3779b97f4a7c15 ^ uint64(kind), b: 0xd1b54a32d192ed03 + uint64(kind)}
}

func (h *hasher) word(v uint64) {
	h.a = mix(h.a ^ v)
	h.b = bits.RotateLeft64((h.b+v)*0xff51afd7ed558ccd, 29) ^ (h.b >> 3)
	h.b *= 0xc4ceb9fe1a85ec53
}

// mix spreads every bit of x over the whole word, reversibly.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

func (h *hasher) int(v int64) { h.word(uint64(v)) }

func (h *hasher) bool(v bool) {
	if v {
		h.word(1)
	} else {
		h.word(2)
	}
}

func (h *hasher) string(s string) {
	h.word(uint64(len(s)))
	for len(s) >= 8 {
		h.word(word(s[:8]))
		s = s[8:]
	}
	if len(s) > 0 {
		h.word(word(s))
	}
}

func (h *hasher) strings(list []string) {
	h.int(int64(len(list)))
	for _, s := range list {
		h.string(s)
	}
}

// word packs at most eight bytes, the first one lowest.
func word(s string) uint64 {
	var v uint64
	for i := len(s) - 1; i >= 0; i-- {
		v = v<<8 | uint64(s[i])
	}
	return v
}

func (h *hasher) hash(v Hash) {
	h.string(string(v[:]))
}

func (h *hasher) digest() Digest { return Digest{mix(h.a), mix(h.b)} }

func digestOf(r Record) Digest {
	h := newHasher(r.Key().Kind)
	r.fold(&h)
	return h.digest()
}

func (w *workspace) digest() Digest { return digestOf(w.record()) }
func (r *rootKey) digest() Digest   { return digestOf(r.record()) }
func (a *api) digest() Digest       { return digestOf(a.record()) }
func (i *identity) digest() Digest  { return digestOf(i.record()) }

func (p *slug) digest() Digest { return digestOf(p.record()) }
func (r *role) digest() Digest { return digestOf(r.record()) }

func (k *key) digest() Digest {
	r := k.plain()
	h := newHasher(KeyKind)
	r.fold(&h)
	return h.digest()
}

// digest of a credit record stands on the path of every charge, twice.
func (c *credit) digest() Digest {
	if !c.present {
		return Digest{}
	}
	r := c.plain()
	h := newHasher(r.Key().Kind)
	r.fold(&h)
	return h.digest()
}

// fold leaves log time out: see Digest.
func (r *MetaRecord) fold(h *hasher) {
	h.string(r.ClusterID)
	h.word(r.Books.Granted)
	h.word(r.Books.Withdrawn)
	h.word(r.Books.Charged)
	h.word(r.Sessions)
}

func (r *WorkspaceRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.Name)
	h.int(r.CreatedAt)
	h.bool(r.Enabled)
}

func (r *RootKeyRecord) fold(h *hasher) {
	h.string(r.ID)
	h.hash(r.Hash)
	h.string(r.Name)
	h.string(r.WorkspaceID)
	h.strings(r.Permissions)
	h.int(r.CreatedAt)
	h.int(r.Expires)
	h.bool(r.Enabled)
}

func (r *APIRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.KeyspaceID)
	h.string(r.Name)
	h.string(r.WorkspaceID)
	h.int(r.CreatedAt)
	h.bool(r.Protected)
	h.bool(r.Deleted)
}

func (r *IdentityRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.ExternalID)
	h.string(r.WorkspaceID)
	h.string(r.Meta)
	h.int(int64(r.Policy))
	h.int(r.CreatedAt)
	h.bool(r.Deleted)
	foldRatelimits(h, r.Ratelimits)
}

func (r *KeyRecord) fold(h *hasher) {
	h.string(r.ID)
	h.hash(r.Hash)
	h.string(r.Start)
	h.string(r.APIID)
	h.string(r.IdentityID)
	h.string(r.Name)
	h.string(r.Meta)
	h.int(r.CreatedAt)
	h.int(r.UpdatedAt)
	h.int(r.LastUsedAt)
	h.int(r.Expires)
	h.bool(r.Enabled)
	h.bool(r.Deleted)
	h.strings(r.Permissions)
	h.strings(r.Roles)
	foldRatelimits(h, r.Ratelimits)
}

func (r *PermissionRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.WorkspaceID)
	h.string(r.Name)
	h.string(r.Slug)
	h.string(r.Description)
	h.int(r.CreatedAt)
	h.bool(r.Deleted)
}

func (r *RoleRecord) fold(h *hasher) {
	h.string(r.ID)
	h.string(r.WorkspaceID)
	h.string(r.Name)
	h.string(r.Description)
	h.strings(r.Permissions)
	h.int(r.CreatedAt)
	h.bool(r.Deleted)
}

func (r *CreditRecord) fold(h *hasher) {
	h.string(r.Owner)
	h.bool(r.Identity)
	h.int(r.Remaining)
	h.int(int64(r.Refill.Interval))
	h.int(r.Refill.Amount)
	h.int(int64(r.Refill.Day))
	h.int(r.RefilledAt)
	h.int(r.Considered)
}
