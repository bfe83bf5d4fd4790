package fsmtest

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// imports takes over a key of another system, new or seen before, or what it has there now. At times it deletes one meanwhile.
func (g *Generator) imports() fsm.Command {
	if g.chance(2) {
		return &fsm.FinishImport{Most: pick[int64](g, 1, 5, 500)}
	}
	if len(g.imported) > 0 && g.chance(15) {
		return &fsm.DeleteKey{KeyID: pick(g, g.imported...).ID}
	}
	if len(g.imported) > 0 && g.chance(15) { // what the ledger refills meanwhile counts in the bases of its mark
		return &fsm.UpdateKey{KeyID: pick(g, g.imported...).ID, Credits: fsm.CreditsChange{
			Remaining: fsm.Set(g.amount()), Refill: fsm.Set(fsm.Refill{Interval: fsm.Daily, Amount: 1 + g.rng.Int64N(200)}),
		}}
	}
	c := &fsm.ImportRecords{
		OnConflict: pick(g, fsm.FailOnConflict, fsm.SkipOnConflict, fsm.ReplaceOnConflict, fsm.ReplaceOnConflict), Track: g.chance(70),
		Items: make([]fsm.ImportItem, 1+g.rng.IntN(3)),
	}
	if g.chance(50) {
		c.ReadAt = g.now - g.rng.Int64N(1000)
	}
	for i := range c.Items {
		c.Items[i] = g.importItem()
	}
	return c
}

func (g *Generator) importItem() fsm.ImportItem {
	item := fsm.ImportItem{Credits: fsm.ImportedCredits{Limited: g.chance(85)}}
	if item.Credits.Limited {
		item.Credits.Remaining = g.amount()
		if g.chance(40) {
			item.Credits.RefilledAt = max(0, g.now-1-g.rng.Int64N(pick[int64](g, 1000, 400_000_000)))
		}
	}
	if len(g.imported) > 0 && g.chance(40) {
		item.Record = &fsm.ImportMarkRecord{Owner: pick(g, g.imported...).ID}
		return item
	}
	if len(g.imported) > 0 && g.chance(50) { // again, mostly as it was
		again := *pick(g, g.imported...)
		if g.chance(30) {
			again.Name = g.text()
		}
		item.Record = &again
		return item
	}
	n := g.newKeyID()
	r := &fsm.KeyRecord{
		ID: fmt.Sprintf("key_%d", n), Hash: keyHash(n), Start: "sk_i", APIID: pick(g, "api_1", "api_1", "api_2", "api_2", "api_3"), Name: g.text(), Meta: g.meta(),
		CreatedAt: g.now - 5, UpdatedAt: pick(g, 0, g.now), LastUsedAt: pick(g, 0, g.now-3), Expires: fsm.Never, Enabled: g.chance(90),
	}
	if g.chance(8) {
		r.IdentityID = g.identityID()
	}
	if g.imported = append(g.imported, r); len(g.imported) > 6 {
		g.imported = g.imported[1:]
	}
	item.Record = r
	return item
}
