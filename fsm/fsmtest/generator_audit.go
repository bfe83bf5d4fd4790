package fsmtest

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// origin is that of a request, or none.
func (g *Generator) origin() *fsm.Origin {
	if g.chance(30) {
		return nil
	}
	return &fsm.Origin{
		RequestID: fmt.Sprintf("req_%d", g.rng.IntN(1000)), RemoteAddr: pick(g, "", "192.0.2.1:80"), UserAgent: pick(g, "", "curl", "ü"),
	}
}

func (g *Generator) auditQuery() fsm.Query {
	q := &fsm.ListAudit{To: fsm.Never, Page: fsm.Page{Limit: 1 + g.rng.IntN(8)}}
	if g.chance(30) {
		q.ResourceID = pick(g, g.keyID(), g.identityID(), "api_1", rootKeyID(3), "perm_1", "none")
	}
	if g.chance(20) {
		q.ActorID = rootKeyID(g.rng.IntN(g.rootKeys))
	}
	if g.chance(20) {
		q.Event = pick(g, fsm.EventNames()...)
	}
	if g.chance(20) {
		q.From = g.now - g.rng.Int64N(40*86_400_000)
	}
	if g.chance(20) {
		q.To = g.now - g.rng.Int64N(40*86_400_000)
	}
	if g.chance(40) {
		q.Page.Cursor = pick(g, "0", "z", fmt.Sprintf("%016x-%08x", g.now-g.rng.Int64N(86_400_000), g.rng.IntN(3)), fmt.Sprintf("%016x", g.now))
	}
	return q
}
