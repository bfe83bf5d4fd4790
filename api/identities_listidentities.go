package api

import "github.com/creditd/creditd/fsm"

type listIdentitiesRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor"`
	Search pageSearch `json:"search"`
}

// listIdentities serves identities.listIdentities, docs/contract.md 2.4.
func listIdentities(c *call, req listIdentitiesRequest) (any, error) {
	found, err := answer[*fsm.Identities](c, &fsm.ListIdentities{Search: string(req.Search), Page: pageOf(req.Limit, req.Cursor)})
	if err != nil {
		return nil, err
	}
	return showPage(found.List, found.Next, showIdentity), nil
}
