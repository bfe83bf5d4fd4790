// Package mint makes what the ledger must not make itself, because it has no randomness: identifiers, key material and
// request ids. It also says what of a key the ledger gets to know: its hash. See docs/contract.md 1.11.
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

// idLength is how many random characters an identifier has. 16 are 95 bits: nodes never meet an id of another's making.
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
			// Six bits are one of 64; the two that have no character are drawn again, so that all characters are equally likely.
			if r &= 63; int(r) < len(alphanumerics) && len(id) < cap(id) {
				id = append(id, alphanumerics[r])
			}
		}
	}
	return string(id)
}

// RequestIDLength is the length of a request id.
const RequestIDLength = len("req_") + idLength

// RequestID writes a new request id into id. Request ids need no secrecy, hence the quick source of randomness.
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

// startLength is how many characters of the material are kept in the clear, for people to tell keys apart.
const startLength = 4

// Secret returns a new key made of size random bytes, and its start: the part that may be kept and shown. The prefix may be
// empty.
func Secret(prefix string, size int) (key, start string) {
	random := make([]byte, size)
	rand.Read(random)
	for random[0] == 0 { // a leading zero would shorten the material: 16 bytes always give 21 or 22 characters
		rand.Read(random[:1])
	}
	return spell(prefix, random)
}

// Derived is Secret without randomness of its own: the same arguments give the same key. The token is a secret of full strength; the
// parts say what the key is for, and without the token tell nothing of it.
func Derived(prefix string, size int, token string, parts ...string) (key, start string) {
	info := []byte("creditd derived key")
	for _, part := range parts {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	for attempt := byte(0); ; attempt++ {
		material, err := hkdf.Key(sha256.New, []byte(token), nil, string(append(info, attempt)), size)
		if err != nil {
			panic("mint: " + err.Error()) // only for more than 8160 bytes
		}
		if material[0] != 0 { // as Secret
			return spell(prefix, material)
		}
	}
}

// spell writes a key down.
func spell(prefix string, random []byte) (key, start string) {
	material := base58(random)
	if prefix != "" {
		prefix += "_"
	}
	return prefix + material, prefix + material[:startLength]
}

// What a root key is made of: 192 bits, since it opens a whole workspace.
const (
	RootPrefix   = "root"
	RootKeyBytes = 24
)

// RootKey returns a new root key.
func RootKey() string {
	key, _ := Secret(RootPrefix, RootKeyBytes)
	return key
}

// Hash returns what the ledger knows of a key.
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
