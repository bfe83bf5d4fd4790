package api

import "github.com/creditd/creditd/fsm"

type listKeysRequest struct {
	APIID      string     `json:"apiId" schema:"required,minLength=1"`
	Limit      pageLimit  `json:"limit"`
	Cursor     pageCursor `json:"cursor"`
	ExternalID string     `json:"externalId" schema:"minLength=1"`
	Decrypt    bool       `json:"decrypt" schema:"default=false"`
	Revalidate bool       `json:"revalidateKeysCache" schema:"default=false"` // there is no cache
}

// listKeys serves apis.listKeys, docs/contract.md 2.2.
func listKeys(c *call, req listKeysRequest) (any, error) {
	found, err := answer[*fsm.Keys](c, &fsm.ListKeys{
		APIID: req.APIID, ExternalID: req.ExternalID, Decrypt: req.Decrypt, Page: pageOf(req.Limit, req.Cursor),
	})
	if err != nil {
		return nil, err
	}
	return showPage(found.List, found.Next, showKey), nil
}
