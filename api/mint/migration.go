package mint

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// ParseHash reads the hash of a key as another system stores it, and returns the algorithm with hashes of this form, or 0.
func ParseHash(text string) (fsm.Algorithm, fsm.Hash) {
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == sha256.Size {
		return fsm.SHA256, fsm.Hash(raw)
	}
	if raw, err := hex.DecodeString(text); err == nil && len(raw) == sha256.Size {
		return fsm.PrefixedAPIKey, ofLongToken([sha256.Size]byte(raw))
	}
	return 0, fsm.Hash{}
}

// ofLongToken maps the hash of a part of a key to one that no full key has, because a key is UTF-8 and this text is not. Otherwise the
// part alone would be accepted as the key.
func ofLongToken(hash [sha256.Size]byte) fsm.Hash {
	return sha256.Sum256(append([]byte("\xffprefixed-api-key\xff"), hash[:]...))
}

// Prefixed reads a key of the form <prefix>_<short token>_<long token> [D-27]. It returns the hash of the migrated key, and its start, which
// is stored in the clear.
func Prefixed(key string) (hash fsm.Hash, start string, ok bool) {
	head, long, _ := cutLast(key)
	prefix, short, _ := cutLast(head)
	if prefix == "" || !alphanumeric(strings.ReplaceAll(prefix, "_", "a")) || !alphanumeric(short) || !alphanumeric(long) {
		return hash, "", false
	}
	return ofLongToken(sha256.Sum256([]byte(long))), prefix + "_" + short[:min(startLength, len(short))], true
}

// alphanumeric reports whether a text is not empty and has only letters and digits of ASCII.
func alphanumeric(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		return r > 'z' || !strings.ContainsRune(alphanumerics, r)
	}) < 0
}

// Prefix returns the prefix of a key, given its start: docs/contract.md 1.11.
func Prefix(start string) string {
	prefix, _, ok := cutLast(start)
	if !ok {
		return ""
	}
	return prefix
}

func cutLast(s string) (before, after string, ok bool) {
	at := strings.LastIndexByte(s, '_')
	if at < 0 {
		return "", s, false
	}
	return s[:at], s[at+1:], true
}
