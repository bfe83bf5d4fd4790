package mint

import (
	"crypto/sha256"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// Identifiers are a prefix and characters of [a-zA-Z0-9]: docs/contract.md 1.11.
func TestID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := ID(Key)
		require.Regexp(t, `^key_[a-zA-Z0-9]{16}$`, id)
		require.False(t, seen[id])
		seen[id] = true
	}
}

func TestRequestID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		var id [RequestIDLength]byte
		RequestID(&id)
		require.Regexp(t, `^req_[a-zA-Z0-9]{16}$`, string(id[:]))
		require.False(t, seen[string(id[:])])
		seen[string(id[:])] = true
	}
}

// The length of 16 bytes and the form of start: docs/contract.md 1.11.
func TestSecret(t *testing.T) {
	for range 1000 {
		key, start := Secret("", 16)
		require.Regexp(t, `^[1-9A-HJ-NP-Za-km-z]{20,24}$`, key)
		require.Equal(t, key[:4], start)
	}
	key, start := Secret("my_app", 255)
	require.Regexp(t, `^my_app_[1-9A-HJ-NP-Za-km-z]+$`, key)
	require.Equal(t, key[:len("my_app_")+4], start)
	require.True(t, strings.HasPrefix(RootKey(), "root_"))
}

func TestHash(t *testing.T) {
	require.EqualValues(t, sha256.Sum256([]byte("prod_abc")), Hash("prod_abc"))
}

// base58 is compared with known values and, by way of its definition, with math/big.
func TestBase58(t *testing.T) {
	for input, want := range map[string]string{
		"": "", "Hello World!": "2NEpo7TZRRrLZSi2U", "\x00\x00\x28\x7f\xb4\xcd": "11233QC4", "\x00": "1", "\xff\xff": "LUv",
	} {
		require.Equal(t, want, base58([]byte(input)))
	}
	random := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	value := new(big.Int)
	for _, c := range base58(random) {
		value.Add(value.Mul(value, big.NewInt(58)), big.NewInt(int64(strings.IndexRune(bitcoin, c))))
	}
	require.Equal(t, random, value.Bytes())
}

// Keys that were derived before there were nonces come out as they did: a repetition of the request asks for them for a day.
func TestDerived_WithoutANonceStaysAsItWas(t *testing.T) {
	key, start := Derived("sk", 16, "root_test", fsm.ShortHash{}, "keys.createKey", "order:1", "key_1")
	require.Equal(t, "sk_VB67tpeBKRLqB5nax5cjWQ", key)
	require.Equal(t, "sk_VB67", start)
}

// A derived key is as strong as a drawn one and told by nothing but its token and what it is for.
func TestDerived(t *testing.T) {
	token, nonce := RootKey(), Nonce()
	key, start := Derived("sk", 16, token, nonce, "keys.createKey", "order:1", "key_1")
	again, _ := Derived("sk", 16, token, nonce, "keys.createKey", "order:1", "key_1")
	require.Equal(t, key, again)
	require.Regexp(t, `^sk_[1-9A-HJ-NP-Za-km-z]{21,22}$`, key)
	require.Equal(t, key[:len("sk_")+4], start)
	seen := map[string]bool{key: true}
	for _, other := range [][]string{
		{"keys.createKey", "order:1", "key_2"}, {"keys.createKey", "order:2", "key_1"}, {"keys.rerollKey", "order:1", "key_1"},
		{"keys.createKeyorder:1", "", "key_1"}, {"keys.createKey", "order:1key_1"}, {},
	} {
		k, _ := Derived("sk", 16, token, nonce, other...)
		require.False(t, seen[k], "%v", other)
		seen[k] = true
	}
	k, _ := Derived("sk", 16, RootKey(), nonce, "keys.createKey", "order:1", "key_1")
	require.False(t, seen[k])
	for _, other := range []fsm.ShortHash{Nonce(), {}, {0: nonce[0] ^ 1, 1: nonce[1]}} {
		k, _ := Derived("sk", 16, token, other, "keys.createKey", "order:1", "key_1")
		require.False(t, seen[k])
		seen[k] = true
	}
	for n := range 2000 { // also those whose first byte comes out as zero
		k, _ := Derived("", 16, token, nonce, string(rune(n)))
		require.Regexp(t, `^.{21,22}$`, k)
	}
	long, _ := Derived("", 255, token, nonce)
	require.Greater(t, len(long), 340)
}
