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
	for _, key := range []string{
		"", "plain", "one_two", "a_b_", "_", "__", "_b_c", "a__c", " a_b_c", "a_b_c ", "a _b_c", "Bearer a_b_c", "a_b c_d", "a_b_c\n", "a_b_ü", "a-b_c_d", "a_b-c_d",
		"a_b_c-d", "ä_b_c", "a_\xff_c", "a_b_\x00",
	} {
		_, _, ok := Prefixed(key)
		require.False(t, ok, key)
	}
	for _, key := range []string{"a_b_c", "my_2nd_app_Z9_0", "__b_c"} {
		_, _, ok := Prefixed(key)
		require.True(t, ok, key)
	}
}

func TestPrefix(t *testing.T) {
	for start, want := range map[string]string{"": "", "3fTq": "", "sk_3fTq": "sk", "my_app_3fTq": "my_app"} {
		require.Equal(t, want, Prefix(start))
	}
}
