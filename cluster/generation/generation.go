// Package generation tells the generations of one cluster apart.
//
// A cluster that was recovered without its quorum, or restored under its old id, goes on in another generation. The generation is a part of the
// id that nodes compare, "cluster_x.2.k3f9": so every build keeps nodes of two generations apart, also one that knows no generations.
package generation

import (
	"cmp"
	"crypto/rand"
	"encoding/base32"
	"strconv"
	"strings"
)

// ID is the id of a cluster in its parts.
type ID struct {
	Base string // the cluster, the same in all generations
	// Number counts the generations from 1. Random tells two recoveries of one generation apart; it is empty in the first.
	Number uint64
	Random string
}

// Parse splits an id. An id without a generation is that of the first.
func Parse(id string) ID {
	base, rest, _ := strings.Cut(id, ".")
	digits, random, _ := strings.Cut(rest, ".")
	if number, err := strconv.ParseUint(digits, 10, 64); err == nil && number > 1 && random != "" {
		return ID{base, number, random}
	}
	return ID{id, 1, ""}
}

// String is the id that nodes compare.
func (i ID) String() string {
	if i.Random == "" {
		return i.Base
	}
	return i.Base + "." + i.Generation()
}

// Generation names the generation: "1", or "2.k3f9".
func (i ID) Generation() string {
	if i.Random == "" {
		return strconv.FormatUint(i.Number, 10)
	}
	return strconv.FormatUint(i.Number, 10) + "." + i.Random
}

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Next is the id of the next generation. Two calls return two ids.
func (i ID) Next() ID {
	random := make([]byte, 5)
	_, _ = rand.Read(random) // never fails
	return ID{i.Base, cmp.Or(i.Number, 1) + 1, encoding.EncodeToString(random)}
}

// Succeeds reports whether i is a later generation of the same cluster.
func (i ID) Succeeds(other ID) bool {
	return i.Base != "" && i.Base == other.Base && i.Number > other.Number
}
