package fields

import "math/bits"

// Hasher hashes a sequence of words in two independent lanes. For a given word, each step is a bijection of the lane. It detects damage and
// divergence. It does not protect against an attacker who constructs collisions.
type Hasher struct{ a, b uint64 }

// NewHasher starts a hash of something of a kind.
func NewHasher(kind uint8) Hasher {
	return Hasher{a: 0x9e3779b97f4a7c15 ^ uint64(kind), b: 0xd1b54a32d192ed03 + uint64(kind)}
}

// Word adds one word.
func (h *Hasher) Word(v uint64) {
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

// Int adds a signed integer.
func (h *Hasher) Int(v int64) { h.Word(uint64(v)) }

// Bool adds a boolean.
func (h *Hasher) Bool(v bool) {
	if v {
		h.Word(1)
	} else {
		h.Word(2)
	}
}

// String adds a text.
func (h *Hasher) String(s string) {
	h.Word(uint64(len(s)))
	for len(s) >= 8 {
		h.Word(word(s[:8]))
		s = s[8:]
	}
	if len(s) > 0 {
		h.Word(word(s))
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

// Sum returns the hash so far.
func (h Hasher) Sum() (a, b uint64) { return mix(h.a), mix(h.b) }

// First returns one of the two words of the present hash, which is enough to tell most things apart.
func (h Hasher) First() uint64 { return h.a }

// Less orders hashes; equal ones are not less.
func (h Hasher) Less(o Hasher) bool { return h.a < o.a || h.a == o.a && h.b < o.b }
