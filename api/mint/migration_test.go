package mint

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

// What migrateKeys is given and what verifyKey computes meet: docs/contract.md 2.3.
func TestMigration_Hashes(t *testing.T) {
	full := "my_company_BRTRKFsL_51FwqftsmMDHHbJAMEXXHCgG"
	sum := sha256.Sum256([]byte(full))
	form, hash := ParseHash(base64.StdEncoding.EncodeToString(sum[:]))
	require.Equal(t, fsm.SHA256, form)
	require.Equal(t, Hash(full), hash)

	long := sha256.Sum256([]byte("51FwqftsmMDHHbJAMEXXHCgG"))
	form, migrated := ParseHash(hex.EncodeToString(long[:]))
	require.Equal(t, fsm.PrefixedAPIKey, form)
	found, start, ok := Prefixed(full)
	require.True(t, ok)
	require.Equal(t, migrated, found)
	require.Equal(t, "my_company_BRTR", start)
	require.NotEqual(t, Hash("51FwqftsmMDHHbJAMEXXHCgG"), found, "a part of a key is no key")

	for _, text := range []string{"", "abc", "zz", hex.EncodeToString(long[:31]), base64.StdEncoding.EncodeToString(sum[:31])} {
		form, _ := ParseHash(text)
		require.Zero(t, form, text)
	}
	for _, key := range []string{"", "plain", "one_two", "a_b_"} {
		_, _, ok := Prefixed(key)
		require.False(t, ok, key)
	}
}

func TestPrefix(t *testing.T) {
	for start, want := range map[string]string{"": "", "3fTq": "", "sk_3fTq": "sk", "my_app_3fTq": "my_app"} {
		require.Equal(t, want, Prefix(start))
	}
}
