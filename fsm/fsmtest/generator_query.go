package fsmtest

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// QueryCase is a query and who asks it.
type QueryCase struct {
	Actor fsm.Hash
	Query fsm.Query
}

// Query returns a random query of a random caller.
func (g *Generator) Query() QueryCase { return QueryCase{g.actor(), g.query()} }

func (g *Generator) query() fsm.Query {
	if g.chance(30) {
		return g.listing()
	}
	switch n := g.rng.IntN(140); {
	case n >= 125:
		return g.auditQuery()
	case n >= 115:
		return g.overrideQuery()
	case n >= 100:
		return g.accessQuery()
	case n < 40:
		return &fsm.GetKey{KeyID: g.keyID(), Decrypt: g.chance(10)}
	case n < 60:
		return &fsm.WhoAmI{Hash: g.keyHash()}
	case n < 70:
		return g.preview()
	case n < 85:
		return &fsm.GetIdentity{Identity: g.identityRef()}
	case n < 95:
		return &fsm.GetAPI{APIID: pick(g, "api_1", "api_2", "api_3", "api_4", "api_none")}
	case n < 96:
		return &fsm.GetImport{WorkspaceID: pick(g, "", "ws_1", "ws_2", "ws_none")}
	case n < 97:
		return &fsm.GetIdempotencyRecord{Idempotency: *g.idempotency()}
	default:
		return &fsm.Authorize{Permission: pick(g, append(EveryPermission(), "api.api_1.verify_key", "*", "")...), OnSome: g.chance(30)}
	}
}

// Queries returns every query there is about everything that was ever named, asked by the root keys of both workspaces.
func (g *Generator) Queries() []QueryCase {
	var all []QueryCase
	ask := func(q fsm.Query) { all = append(all, QueryCase{Root, q}, QueryCase{other, q}) }
	for _, q := range listings() {
		ask(q)
	}
	for _, w := range []string{"", "ws_1", "ws_2", "ws_none"} {
		ask(&fsm.GetImport{WorkspaceID: w})
	}
	for n := range g.keys {
		ask(&fsm.GetKey{KeyID: fmt.Sprintf("key_%d", n)})
		ask(&fsm.WhoAmI{Hash: keyHash(n)})
		ask(&fsm.PreviewVerification{Verification: &fsm.VerifyKey{Hash: keyHash(n), Cost: 1}, ByHash: true})
	}
	for n := range g.identities {
		ask(&fsm.GetIdentity{Identity: fmt.Sprintf("id_%d", n)})
	}
	for _, name := range append(namespaceNames, "rlns_1", "rlns_2", "rlns_3") {
		ask(&fsm.ListOverrides{Namespace: name, Limit: 100})
		for _, identifier := range identifiers {
			ask(&fsm.GetOverride{Namespace: name, Identifier: identifier})
		}
	}
	for _, name := range externalIDs {
		ask(&fsm.GetIdentity{Identity: name})
	}
	for n := range g.apis {
		ask(&fsm.GetAPI{APIID: fmt.Sprintf("api_%d", n+1)})
	}
	g.accessQuestions(ask)
	for n := range g.rootKeys {
		all = append(all, QueryCase{rootHash(n), &fsm.GetRootKey{}})
		for _, p := range EveryPermission() {
			all = append(all, QueryCase{rootHash(n), &fsm.Authorize{Permission: p}}, QueryCase{rootHash(n), &fsm.Authorize{Permission: p, OnSome: true}},
				QueryCase{rootHash(n), &fsm.GetRootKey{Permission: p}})
		}
	}
	return all
}
