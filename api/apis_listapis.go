package api

import "github.com/creditd/creditd/fsm"

type listAPIsRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor"`
	Search pageSearch `json:"search"`
}

// listAPIs is apis.listApis, docs/contract.md 7.2.
func listAPIs() *endpoint {
	return read("apis.listApis", about{
		summary: "List APIs, in the order of their ids",
		text:    nextPage + " `search` matches ids and names.",
		needs:   []need{forAll(fsm.ReadAPIPermission)},
		example: `{"limit":20,"search":"pay"}`,
	}, func(c *call, req listAPIsRequest) (page[apiOut], error) {
		return ask(c, &fsm.ListAPIs{Search: string(req.Search), Page: wantedPage(req.Limit, req.Cursor)},
			func(found *fsm.APIs) page[apiOut] { return pageOf(found.List, found.Next, showAPI) })
	})
}

func showAPI(a *fsm.API) apiOut { return apiOut{ID: a.ID, Name: a.Name} }
