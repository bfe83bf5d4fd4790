package fsmtest

import (
	"math"

	"github.com/creditd/creditd/fsm"
)

// preview asks about one verification.
func (g *Generator) preview() fsm.Query {
	v := fsm.VerifyKey{Hash: g.keyHash(), Cost: g.cost(), Ratelimits: g.checks(), Query: g.permissionQuery()}
	q := &fsm.PreviewVerification{Verification: &v, ByHash: g.chance(30)}
	if g.chance(30) {
		q.Verification = &fsm.VerifyMigrated{Verify: v, MigrationID: g.migrationID(), Hash: pick(g, g.keyHash(), g.keyHash(), fsm.Hash{}), Start: "pre_abcd"}
	}
	return q
}

// verifyKeys is a batch about few keys, so that its items meet each other. Atomic ones mostly ask for little, or they would never
// pass.
func (g *Generator) verifyKeys() fsm.Command {
	c := &fsm.VerifyKeys{Atomic: g.chance(60)}
	hashes := []fsm.Hash{g.keyHash(), g.keyHash(), otherHash(g.recent(g.keys, 14))}
	modest := c.Atomic && g.chance(70)
	if modest {
		hashes = hashes[:1]
	}
	migration, from := g.migrationID(), g.keyHash()
	for range 1 + g.rng.IntN(6) {
		v := fsm.VerifyKey{Hash: pick(g, hashes...), Cost: g.cost(), Ratelimits: g.checks(), Query: g.permissionQuery()}
		if modest {
			v.Cost, v.Query = pick[int64](g, 0, 1, 1, 2), ""
			v.Ratelimits = nil
			if g.chance(40) {
				v.Ratelimits = []fsm.RatelimitCheck{{
					Name: g.limitName(), Cost: 1, AdHoc: true, Limit: pick[int64](g, 1, 3, 100, math.MaxInt64), Duration: 60_000,
				}}
			}
		}
		item := fsm.Verification{Command: &v}
		if g.chance(30) && (!modest || g.chance(20)) {
			item.Command = &fsm.VerifyMigrated{Verify: v, MigrationID: migration, Hash: pick(g, from, from, hashes[0], hashes[0], fsm.Hash{}), Start: "pre_abcd"}
		}
		if g.chance(25) && (!c.Atomic || g.chance(5)) {
			item.Idempotency = g.idempotency()
		}
		c.Items = append(c.Items, item)
	}
	return c
}
