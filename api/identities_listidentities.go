package api

import "github.com/creditd/creditd/fsm"

type listIdentitiesRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor"`
	Search pageSearch `json:"search"`
}

// listIdentities is identities.listIdentities, docs/contract.md 2.4.
func listIdentities() *endpoint {
	return read("identities.listIdentities", about{
		summary: "List identities, in the order of their ids",
		text:    nextPage + " `search` matches ids and externalIds.",
		needs:   []need{forOne(fsm.ReadIdentityPermission).when("for each identity on the page")},
		example: `{"limit":20,"search":"user"}`,
	}, func(c *call, req listIdentitiesRequest) (page[*identityOut], error) {
		return ask(c, &fsm.ListIdentities{Search: string(req.Search), Page: wantedPage(req.Limit, req.Cursor)},
			func(found *fsm.Identities) page[*identityOut] { return pageOf(found.List, found.Next, showIdentity) })
	})
}
