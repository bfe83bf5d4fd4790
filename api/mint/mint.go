// Package mint makes identifiers, key material and request ids, because the ledger has no randomness. It also makes the hash of a key,
// which is all that the ledger learns of it. See docs/contract.md 1.11.
package mint

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	mathrand "math/rand/v2"

	"github.com/creditd/creditd/fsm"
)

// Prefixes of identifiers.
const (
	API       = "api"
	Identity  = "id"
	Key       = "key"
	Keyspace  = "ks"
	Workspace = "ws"

	Permission = "perm"
	Role       = "role"

	Ratelimit = "rl"
	Namespace = "rlns"
	Override  = "rlor"
)

const alphanumerics = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// idLength is the number of random characters of an identifier. 16 are 95 bits, so that two nodes never draw the same id.
const idLength = 16

// ID returns a new identifier with the given prefix.
func ID(prefix string) string {
	id := make([]byte, 0, len(prefix)+1+idLength)
	id = append(id, prefix...)
	id = append(id, '_')
	var random [idLength + idLength/2]byte
	for len(id) < cap(id) {
		rand.Read(random[:])
		for _, r := range random {
			// Six bits give 64 values. The two without a character are drawn again, so that all characters are equally likely.
			if r &= 63; int(r) < len(alphanumerics) && len(id) < cap(id) {
				id = append(id, alphanumerics[r])
			}
		}
	}
	return string(id)
}

// RequestIDLength is the length of a request id.
const RequestIDLength = len("req_") + idLength

// RequestID writes a new request id into id. It uses a fast source of randomness, because request ids are no secrets.
func RequestID(id *[RequestIDLength]byte) {
	copy(id[:], "req_")
	for half := range 2 {
		r := mathrand.Uint64()
		for i := range idLength / 2 {
			id[len("req_")+half*idLength/2+i] = alphanumerics[r%uint64(len(alphanumerics))]
			r /= uint64(len(alphanumerics))
		}
	}
}

// startLength is the number of characters of the material that are stored in the clear, so that people can tell keys apart.
const startLength = 4

// Secret returns a new key of size random bytes, and its start, which may be stored and shown. The prefix may be empty.
func Secret(prefix string, size int) (key, start string) {
	random := make([]byte, size)
	rand.Read(random)
	for random[0] == 0 { // a leading zero would shorten the material: 16 bytes always give 21 or 22 characters
		rand.Read(random[:1])
	}
	return spell(prefix, random)
}

// Nonce returns random bytes for Derived. They are never all zero.
func Nonce() (nonce fsm.ShortHash) {
	for nonce == (fsm.ShortHash{}) {
		rand.Read(nonce[:])
	}
	return nonce
}

// Derived is Secret without randomness: the same arguments give the same key. The token is a secret of full strength. Who has the token
// alone, or the nonce alone, learns nothing. The parts say what the key is for. The zero nonce is none, as before ledger version 3.
func Derived(prefix string, size int, token string, nonce fsm.ShortHash, parts ...string) (key, start string) {
	var salt []byte
	if nonce != (fsm.ShortHash{}) {
		salt = nonce[:]
	}
	info := []byte("creditd derived key")
	for _, part := range parts {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	for attempt := byte(0); ; attempt++ {
		material, err := hkdf.Key(sha256.New, []byte(token), salt, string(append(info, attempt)), size)
		if err != nil {
			panic("mint: " + err.Error()) // only for more than 8160 bytes
		}
		if material[0] != 0 { // as Secret
			return spell(prefix, material)
		}
	}
}

// spell returns the text of a key.
func spell(prefix string, random []byte) (key, start string) {
	material := base58(random)
	if prefix != "" {
		prefix += "_"
	}
	return prefix + material, prefix + material[:startLength]
}

// The parts of a root key. It has 192 bits, because it opens a whole workspace.
const (
	RootPrefix   = "root"
	RootKeyBytes = 24
)

// RootKey returns a new root key.
func RootKey() string {
	key, _ := Secret(RootPrefix, RootKeyBytes)
	return key
}

// Hash returns the hash of a key, which is all that the ledger knows of it.
func Hash(key string) fsm.Hash { return sha256.Sum256([]byte(key)) }

const bitcoin = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58 encodes bytes in the Bitcoin alphabet.
func base58(data []byte) string {
	zeros := 0
	for zeros < len(data) && data[zeros] == 0 {
		zeros++
	}
	digits := make([]byte, 0, len(data)*138/100+1) // least significant first; log 256 / log 58 is below 1.38
	for _, b := range data[zeros:] {
		carry := uint32(b)
		for i := range digits {
			carry += uint32(digits[i]) << 8
			digits[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	text := make([]byte, zeros+len(digits))
	for i := range zeros {
		text[i] = bitcoin[0]
	}
	for i, d := range digits {
		text[len(text)-1-i] = bitcoin[d]
	}
	return string(text)
}
