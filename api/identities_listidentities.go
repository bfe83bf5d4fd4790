package api

import "github.com/creditd/creditd/fsm"

type listIdentitiesRequest struct {
	Limit  pageLimit `json:"limit"`
	Cursor string    `json:"cursor"`
	Search string    `json:"search" schema:"maxLength=256"`
}

// listIdentities serves identities.listIdentities, docs/contract.md 2.4.
func listIdentities(c *call, req listIdentitiesRequest) (any, error) {
	found, err := answer[*fsm.Identities](c, &fsm.ListIdentities{Search: req.Search, Page: pageOf(req.Limit, req.Cursor)})
	if err != nil {
		return nil, err
	}
	return showList(found.List, found.Next, showIdentity), nil
}
