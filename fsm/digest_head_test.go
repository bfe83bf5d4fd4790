package fsm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
)

func largeMeta(bytes int) string { return `{"a":"` + strings.Repeat("x", bytes-8) + `"}` }

// The hash of a large meta is kept, and the digest is that of the fields whatever changes around it: the loader makes it anew.
func TestDigest_WithALargeMeta(t *testing.T) {
	s := newLedger(t)
	apply(t, s, &fsm.CreateMigration{ID: "mig", Algorithm: fsm.PrefixedAPIKey})
	apply(t, s, &fsm.CreateIdentity{ID: "id_u", ExternalID: "u", Meta: largeMeta(5000)})
	apply(t, s, &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1", Keys: []fsm.MigratedKey{{
		ID: "key_m", Hash: fsm.Hash{'m'}, Form: fsm.PrefixedAPIKey, Expires: fsm.Never, Enabled: true, Meta: largeMeta(5001),
	}}})
	records := map[fsm.RecordKey]fsm.Record{}
	for i, c := range []fsm.Command{
		&fsm.UpdateKey{KeyID: "key_m", Enabled: fsm.Set(true)},
		&fsm.UpdateKey{KeyID: "key_m", Name: fsm.Set("n")},
		&fsm.UpdateKey{KeyID: "key_m", ExternalID: fsm.Set("u")},
		&fsm.VerifyMigrated{MigrationID: "mig", Hash: fsm.Hash{'m'}, Start: "sk_1", Verify: fsm.VerifyKey{Hash: fsm.Hash{'f'}}},
		&fsm.RerollKey{KeyID: "key_m", NewID: "key_n", Hash: fsm.Hash{'n'}, Start: "sk_2", Expiration: 60_000},
		&fsm.UpdateKey{KeyID: "key_n", Enabled: fsm.Set(false)},
		&fsm.UpdateKey{KeyID: "key_m", Meta: fsm.Set(largeMeta(5002))},
		&fsm.UpdateKey{KeyID: "key_m", Meta: fsm.Clear[string]()},
		&fsm.UpdateKey{KeyID: "key_m", Meta: fsm.Set(largeMeta(5001))},
		&fsm.UpdateIdentity{Identity: "u", Policy: fsm.Set(fsm.BothPay)},
		&fsm.UpdateIdentity{Identity: "u", Meta: fsm.Set(largeMeta(5003))},
		&fsm.UpdateIdentity{Identity: "u", Meta: fsm.Set(`{}`)},
		&fsm.UpdateIdentity{Identity: "u", Meta: fsm.Set(largeMeta(5003))},
		&fsm.DeleteIdentity{Identity: "u"},
		&fsm.DeleteKey{KeyID: "key_m"},
	} {
		require.Zero(t, code(apply(t, s, c)), "%d", i)
		restoredFrom(t, s, records)
	}
}

// An update of a key and an identity with the largest metas and lists. Only what changes is hashed.
func BenchmarkUpdateLarge(b *testing.B) {
	s := newLedger(b)
	newKey(b, s, 'k', "u", fsm.NewCredits{})
	apply(b, s, &fsm.UpdateKey{KeyID: "key_k", Meta: fsm.Set(largeMeta(65_536)), Permissions: fsm.Set(refs(0, 1000))})
	apply(b, s, &fsm.UpdateIdentity{Identity: "u", Meta: fsm.Set(largeMeta(1 << 20))})
	for name, c := range map[string]fsm.Command{
		"key": &fsm.UpdateKey{KeyID: "key_k", Enabled: fsm.Set(true)}, "identity": &fsm.UpdateIdentity{Identity: "u", Policy: fsm.Set(fsm.BothPay)},
	} {
		b.Run(name, func(b *testing.B) {
			batch := fsm.Batch{Calls: []fsm.Call{{Actor: root, Command: c}}}
			for b.Loop() {
				s.Apply(batch)
			}
		})
	}
}
