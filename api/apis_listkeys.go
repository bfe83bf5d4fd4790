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

// listKeys is apis.listKeys, docs/contract.md 2.2.
func listKeys() *endpoint {
	return read("apis.listKeys", about{
		summary: "List the keys of an API, in the order of their ids",
		text: nextPage + " `externalId` limits the list to the keys of that identity. `revalidateKeysCache` has no effect: the answer " +
			"always shows the current state.",
		needs:     []need{forOne(fsm.ReadKeyPermission).silently(), forOne(fsm.ReadAPIPermission).silently(), forOne(fsm.DecryptKeyPermission).when("to decrypt")},
		needsNote: "Without one of the first two, the API is not found.",
		example:   `{"apiId":"` + exampleAPI + `","limit":20,"externalId":"` + exampleExternalID + `"}`,
		refuses:   []fsm.RefusalCode{fsm.APINotFound, fsm.PreconditionFailed},
	}, func(c *call, req listKeysRequest) (page[*keyOut], error) {
		return ask(c, &fsm.ListKeys{
			APIID: req.APIID, ExternalID: req.ExternalID, Decrypt: req.Decrypt, Page: wantedPage(req.Limit, req.Cursor),
		}, func(found *fsm.Keys) page[*keyOut] { return pageOf(found.List, found.Next, showKey) })
	})
}
