package fsm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/fsmtest"
)

// emptied is how a workspace comes to have something up to its quota, and to have none of it again.
type emptied struct {
	// never says why nothing frees the quota, or what else does.
	never string
	// fill makes the n-th thing; of is the round, so that every round has names of its own.
	fill func(round string, n int) []fsm.Command
	// end deletes it.
	end func(round string, n int) []fsm.Command
}

func one(c ...fsm.Command) []fsm.Command { return c }

func nth(round string, n int) string { return fmt.Sprint(round, n) }

// room has what fills each quota, in every way that keeps something of the deleted thing: a list with it, a key of it.
var room = map[fsm.QuotaKind]map[string]emptied{
	fsm.KeysQuota: {
		"alone": {
			fill: func(round string, n int) []fsm.Command { return one(roomKey(round, n)) },
			end:  func(round string, n int) []fsm.Command { return one(&fsm.DeleteKey{KeyID: "key_" + nth(round, n)}) },
		},
		"with their API": {
			fill: func(round string, n int) []fsm.Command {
				k := roomKey(round, n)
				k.APIID = "api_" + nth(round, n)
				return one(&fsm.CreateAPI{ID: k.APIID}, k)
			},
			end: func(round string, n int) []fsm.Command { return one(&fsm.DeleteAPI{APIID: "api_" + nth(round, n)}) },
		},
		"with their identity": {
			fill: func(round string, n int) []fsm.Command { return one(roomIdentity(round, n), ownedKey(round, n)) },
			end: func(round string, n int) []fsm.Command {
				return one(&fsm.DeleteIdentity{Identity: nth(round, n), DeleteKeys: true})
			},
		},
	},
	fsm.IdentitiesQuota: {
		"alone": {
			fill: func(round string, n int) []fsm.Command { return one(roomIdentity(round, n)) },
			end:  endIdentity,
		},
		"with keys that stay": {
			fill: func(round string, n int) []fsm.Command { return one(roomIdentity(round, n), ownedKey(round, n)) },
			end:  endIdentity,
		},
	},
	fsm.APIsQuota: {
		"with keys": {
			fill: func(round string, n int) []fsm.Command {
				k := roomKey(round, n)
				k.APIID = "api_" + nth(round, n)
				return one(&fsm.CreateAPI{ID: k.APIID}, k)
			},
			end: func(round string, n int) []fsm.Command { return one(&fsm.DeleteAPI{APIID: "api_" + nth(round, n)}) },
		},
	},
	fsm.PermissionsQuota: {
		"alone": {
			fill: func(round string, n int) []fsm.Command {
				return one(&fsm.CreatePermission{ID: "perm_" + nth(round, n), Slug: nth(round, n)})
			},
			end: endPermission,
		},
		"of a key": {
			fill: func(round string, n int) []fsm.Command {
				k := roomKey(round, n)
				k.Permissions = roomPermission(round, n)
				return one(k)
			},
			end: endPermission,
		},
		"of a role": {
			fill: func(round string, n int) []fsm.Command {
				return one(&fsm.CreateRole{ID: "role_" + nth(round, n), Name: nth(round, n), Permissions: roomPermission(round, n)})
			},
			end: endPermission,
		},
	},
	fsm.RolesQuota: {
		"of a key": {
			fill: func(round string, n int) []fsm.Command {
				k := roomKey(round, n)
				k.Roles = []string{nth(round, n)}
				return one(&fsm.CreateRole{ID: "role_" + nth(round, n), Name: nth(round, n), Permissions: roomPermission(round, n)}, k)
			},
			end: func(round string, n int) []fsm.Command { return one(&fsm.DeleteRole{Role: nth(round, n)}) },
		},
	},
	fsm.NamespacesQuota: {"": {never: "no endpoint deletes a namespace"}},
	fsm.OverridesQuota: {
		"exact": {
			fill: func(round string, n int) []fsm.Command { return one(roomOverride(round, n)) },
			end: func(round string, n int) []fsm.Command {
				return one(&fsm.DeleteOverride{Namespace: "n", Identifier: nth(round, n)})
			},
		},
	},
	fsm.WindowsQuota:  {"": {never: "see TestQuota_OfWindows: they end by themselves"}},
	fsm.OutcomesQuota: {"": {never: "see TestQuota_OfOutcomes: they end by themselves"}},
	fsm.RequestsQuota: {"": {never: "nodes count them"}},
}

func roomKey(round string, n int) *fsm.CreateKey {
	hash := fsm.Hash{'q', byte(n)}
	copy(hash[2:], round)
	return &fsm.CreateKey{ID: "key_" + nth(round, n), Hash: hash, APIID: "api_1", Enabled: true, Expires: fsm.Never}
}

func ownedKey(round string, n int) *fsm.CreateKey {
	k := roomKey(round, n)
	k.ExternalID = nth(round, n)
	return k
}

func roomIdentity(round string, n int) *fsm.CreateIdentity {
	return &fsm.CreateIdentity{ID: "id_" + nth(round, n), ExternalID: nth(round, n), Credits: fsm.NewCredits{Limited: true, Remaining: 5}}
}

func endIdentity(round string, n int) []fsm.Command {
	return one(&fsm.DeleteIdentity{Identity: nth(round, n)})
}

func roomPermission(round string, n int) []fsm.PermissionRef {
	return []fsm.PermissionRef{{ID: "perm_" + nth(round, n), Slug: nth(round, n)}}
}

func endPermission(round string, n int) []fsm.Command {
	return one(&fsm.DeletePermission{Permission: nth(round, n)})
}

func roomOverride(round string, n int) *fsm.SetOverride {
	return &fsm.SetOverride{ID: "rlor_" + nth(round, n), Namespace: "n", Identifier: nth(round, n), Limit: 1, Duration: 60_000}
}

// Who fills a quota, deletes all of it, and fills it again is never refused. A new quota needs a row. Contract 7.2, D-65 and D-104.
func TestQuota_IsFreeAfterADeletion(t *testing.T) {
	const many = 40
	for kind, name := range fsm.QuotaNames {
		kind := fsm.QuotaKind(kind)
		require.NotEmpty(t, room[kind], "nobody tested that a deletion frees the quota of %s", name)
		for how, c := range room[kind] {
			if c.never != "" {
				continue
			}
			t.Run(name+" "+how, func(t *testing.T) {
				s := newLedgerOf(t, fsmtest.FifthRules)
				apply(t, s, &fsm.ConsumeRatelimits{Requests: []fsm.RatelimitRequest{{Namespace: "n", NamespaceID: "rlns_n", Identifier: "i", Limit: 5, Duration: 60_000, Cost: 1}}})
				empty, records := usedBy(t, s)[kind], map[fsm.RecordKey]fsm.Record{}
				setQuota(t, s, kind, empty+many)
				for _, round := range []string{"a", "b", "c"} {
					for n := range many {
						for _, command := range c.fill(round, n) {
							require.Zero(t, code(apply(t, s, command)), "round %s, %d", round, n)
						}
					}
					require.Equal(t, empty+many, usedBy(t, s)[kind])
					refused := false
					for _, command := range c.fill("x", 0) {
						_, ok := apply(t, s, command).(*fsm.Refusal)
						refused = refused || ok
					}
					require.True(t, refused, "the quota is used up")
					for n := range many {
						for _, command := range c.end(round, n) {
							require.Zero(t, code(apply(t, s, command)))
						}
					}
					for range 2 * many / 16 {
						tick(t, s)
					}
					for range 2 * many / 16 { // a node that comes up in between
						s = restarted(t, s, records)
						tick(t, s)
					}
					require.Equal(t, empty, usedBy(t, s)[kind], "nothing is left of it")
				}
			})
		}
	}
}
