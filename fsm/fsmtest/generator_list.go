package fsmtest

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// page is short, so that lists have several, and begins anywhere.
func (g *Generator) page(prefix string) fsm.Page {
	p := fsm.Page{Limit: 1 + g.rng.IntN(6)}
	if g.chance(50) {
		p.Cursor = pick(g, prefix, fmt.Sprintf("%s%d", prefix, g.rng.IntN(30)), "a", "zz", "\xff")
	}
	return p
}

// end is a command that ends something large. It is rare: nothing comes after it.
func (g *Generator) end() fsm.Command {
	switch g.rng.IntN(6) {
	case 0:
		return &fsm.DeleteAPI{APIID: pick(g, "api_1", "api_2", "api_3", "api_4", "api_5", "api_4", "api_5", "api_none")}
	case 1, 2:
		return &fsm.UpdateWorkspace{WorkspaceID: pick(g, "ws_1", "ws_2", "ws_3", "ws_none"), Enabled: g.chance(80)}
	default:
		return &fsm.RevokeRootKey{KeyID: rootKeyID(pick(g, g.rng.IntN(g.rootKeys), 0, 5, 6, 8, 9))}
	}
}

func (g *Generator) listing() fsm.Query {
	switch n := g.rng.IntN(12); {
	case n == 11:
		return &fsm.ListAPIs{Search: pick(g, "", "", "_1", "N", " t ", "none"), Page: g.page("api_")}
	case n == 10:
		return &fsm.GetRerollStart{KeyID: g.keyID()}
	case n < 5:
		q := &fsm.ListKeys{
			APIID: pick(g, "api_1", "api_1", "api_2", "api_3", "api_4", "api_none"), Decrypt: g.chance(5), Page: g.page("key_"),
		}
		if g.chance(40) {
			q.ExternalID = g.externalID()
		}
		return q
	case n < 8:
		return &fsm.ListIdentities{Search: pick(g, "", "", " ", "A", "id_1", "D.E", " b ", "%", "_", "none"), Page: g.page("id_")}
	case n < 9:
		return &fsm.ListRootKeys{Page: g.page("key_root_")}
	default:
		return &fsm.ListWorkspaces{Page: g.page("ws_")}
	}
}

// listings are all lists there are, whole.
func listings() []fsm.Query {
	whole := fsm.Page{Limit: 1 << 30}
	all := []fsm.Query{&fsm.ListAPIs{Page: whole}, &fsm.ListIdentities{Page: whole}, &fsm.ListRootKeys{Page: whole}, &fsm.ListWorkspaces{Page: whole}, &fsm.ListAudit{To: fsm.Never, Page: whole}}
	for n := range 6 {
		id := fmt.Sprintf("api_%d", n)
		all = append(all, &fsm.ListKeys{APIID: id, Page: whole})
		for _, name := range externalIDs {
			all = append(all, &fsm.ListKeys{APIID: id, ExternalID: name, Page: whole})
		}
	}
	return all
}
