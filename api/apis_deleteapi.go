package api

import "github.com/creditd/creditd/fsm"

type deleteAPIRequest struct {
	APIID string `json:"apiId" schema:"required,minLength=8,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

// deleteAPI is apis.deleteApi, docs/contract.md 2.2.
func deleteAPI() *endpoint {
	return write("apis.deleteApi", about{
		summary:   "Delete an API and all of its keys",
		text:      "The API and its keys stop existing for every endpoint at once.",
		needs:     []need{forOne(fsm.DeleteAPIPermission)},
		needsNote: checkedFirst,
		example:   `{"apiId":"` + exampleAPI + `"}`,
		refuses:   []fsm.RefusalCode{fsm.APINotFound, fsm.APIProtected},
	}, func(c *call, req deleteAPIRequest) (none, error) {
		return change(c, &fsm.DeleteAPI{APIID: req.APIID}, done)
	})
}
