package fsmtest

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// ownedKey is a key that aboutOwners made lately, or any other.
func (g *Generator) ownedKey() int {
	if len(g.owned) == 0 || g.chance(10) {
		return g.recent(g.keys, 14)
	}
	return pick(g, g.owned...)
}

// aboutOwners makes identities with a balance, keys that live on it, and what becomes of both.
func (g *Generator) aboutOwners() fsm.Command {
	switch n := g.rng.IntN(20); {
	case n < 3:
		c := g.createIdentity()
		c.Credits = fsm.NewCredits{Limited: true, Remaining: g.rng.Int64N(60)}
		return c
	case n < 7:
		n := g.newKeyID()
		c := &fsm.CreateKey{
			ID: fmt.Sprintf("key_%d", n), Hash: keyHash(n), APIID: pick(g, "api_1", "api_2"), Expires: fsm.Never, Enabled: true,
			ExternalID: g.externalID(), IdentityID: g.newIdentityID(),
		}
		if g.chance(30) {
			c.Credits = fsm.NewCredits{Limited: true, Remaining: g.rng.Int64N(60)}
		}
		if g.owned = append(g.owned, n); len(g.owned) > 4 {
			g.owned = g.owned[1:]
		}
		return c
	case n < 9:
		return &fsm.DeleteIdentity{Identity: g.externalID(), DeleteKeys: g.chance(20)}
	case n < 12:
		c := &fsm.UpdateKeyCredits{KeyID: fmt.Sprintf("key_%d", g.ownedKey()), Change: g.balanceChange()}
		if g.chance(30) {
			c.Change = fsm.BalanceChange{Op: fsm.SetBalance}
		}
		return c
	case n < 15:
		c := &fsm.UpdateKey{KeyID: fmt.Sprintf("key_%d", g.ownedKey()), Credits: g.creditsChange()}
		if g.chance(20) {
			c.ExternalID, c.IdentityID = maybe(g, g.externalID()), g.newIdentityID()
		}
		return c
	default:
		return &fsm.VerifyKey{Hash: keyHash(g.ownedKey()), Cost: g.cost()}
	}
}
