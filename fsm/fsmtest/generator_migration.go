package fsmtest

import (
	"fmt"
	"math"

	"github.com/creditd/creditd/fsm"
)

// otherHash is the hash of a key's full text where keyHash is that in another system.
func otherHash(n int) fsm.Hash { return fsm.Hash{0: 'o', 1: byte(n), 2: byte(n >> 8)} }

// newKeyID gives out a key's number, seldom one that was given out before.
func (g *Generator) newKeyID() int {
	n := g.fresh(&g.keys, math.MaxInt)
	for !g.ReuseIDs && g.gone[fmt.Sprintf("key_%d", n)] {
		n = g.fresh(&g.keys, math.MaxInt)
	}
	return n
}

// replacing makes a key out of another, or of a hash.
func (g *Generator) replacing() fsm.Command {
	switch n := g.rng.IntN(20); {
	case n < 5:
		n := g.newKeyID()
		c := &fsm.RerollKey{
			KeyID: g.keyID(), NewID: fmt.Sprintf("key_%d", n), Hash: keyHash(n), Start: "sk_new",
			Expiration: pick[int64](g, 0, 0, 1, 59_999, 60_000, 3_600_000, 4102444800000, 4102444800001, -1), Nonce: g.nonce(),
		}
		for range pick(g, 0, 1, 3, 3, 4) { // a key has up to 3 rate limits
			g.ratelimits++
			c.RatelimitIDs = append(c.RatelimitIDs, fmt.Sprintf("rl_%d", g.ratelimits))
		}
		return c
	case n < 13:
		c := &fsm.VerifyMigrated{
			Verify: fsm.VerifyKey{
				Hash: otherHash(g.recent(g.keys, 14)), Cost: g.cost(), Ratelimits: g.checks(), Query: g.permissionQuery(),
			},
			MigrationID: g.migrationID(), Hash: g.keyHash(), Start: "pre_abcd",
		}
		if g.chance(20) {
			c.Verify.Hash = g.keyHash()
		}
		if g.chance(10) {
			c.Hash = fsm.Hash{}
		}
		return c
	case n < 15:
		return &fsm.CreateMigration{ID: g.migrationID(), Algorithm: pick(g, fsm.SHA256, fsm.PrefixedAPIKey, fsm.PrefixedAPIKey)}
	default:
		return g.migrateKeys()
	}
}

func (g *Generator) migrationID() string { return pick(g, "mig_1", "mig_2", "mig_1", "mig_none") }

func (g *Generator) migrateKeys() fsm.Command {
	c := &fsm.MigrateKeys{
		MigrationID: g.migrationID(), APIID: pick(g, "api_1", "api_1", "api_2", "api_3", "api_none"),
		Keys: make([]fsm.MigratedKey, 1+g.rng.IntN(4)),
	}
	form := pick(g, fsm.SHA256, fsm.PrefixedAPIKey, fsm.PrefixedAPIKey)
	for i := range c.Keys {
		n := g.newKeyID()
		k := fsm.MigratedKey{
			ID: fmt.Sprintf("key_%d", n), Hash: keyHash(n), Form: form, Name: g.text(), Meta: g.meta(), Expires: g.expires(),
			Enabled: g.chance(90), Credits: g.newCredits(),
		}
		if k.Credits.Refill.Interval == fsm.Monthly && g.chance(80) {
			k.Credits.Refill.Day = 31
		}
		if g.chance(10) {
			k.Form = pick(g, 0, fsm.SHA256, fsm.PrefixedAPIKey)
		}
		if g.chance(10) {
			k.Hash = g.keyHash()
		}
		if g.chance(60) {
			k.ExternalID, k.IdentityID = g.externalID(), g.newIdentityID()
		}
		if g.chance(25) {
			k.Permissions, k.Ratelimits = g.slugRefs(), g.limits(true)
			for _, name := range g.roleNames() {
				k.Roles = append(k.Roles, fsm.RoleRef{Name: name, ID: g.newRoleID()})
			}
		}
		c.Keys[i] = k
	}
	return c
}
