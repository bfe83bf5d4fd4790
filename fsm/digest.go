package fsm

import (
	"fmt"

	"github.com/creditd/creditd/fsm/fields"
)

// Digest is an order-independent hash of all records: the sum of one hash per record. It detects damage and divergence. It does not protect
// against an attacker who constructs collisions. Log time is not part of it, so that reads do not change it.
type Digest struct{ A, B uint64 }

// String is the digest in hexadecimal.
func (d Digest) String() string { return fmt.Sprintf("%016x%016x", d.A, d.B) }

// Plus is the sum of two digests.
func (d Digest) Plus(e Digest) Digest { return Digest{d.A + e.A, d.B + e.B} }

func (d Digest) minus(e Digest) Digest { return Digest{d.A - e.A, d.B - e.B} }

// DigestDefinition is the number of the way in which the digest is made. Digests of different definitions say nothing about each other.
// A new field needs no new definition: while it has its default it adds nothing to the digest.
const DigestDefinition = 1

func digestOf(r Record) Digest {
	v := fields.NewHashing(fields.NewHasher(uint8(r.Key().Kind)))
	r.fields(&v)
	return digestFrom(v.Sum())
}

// largeMeta is the size of a meta from which an entity keeps the hash of the head of its record: the fields up to the meta. Most changes
// leave them, and only the others are hashed again with each digest.
const largeMeta = 1024

// headHash is a kept hash, and what it is the hash of. Equal texts are mostly the same bytes in memory, which compare at once.
type headHash[K comparable] struct {
	of  K
	sum fields.Hasher
}

func digestFrom(a, b uint64) Digest { return Digest{a, b} }
