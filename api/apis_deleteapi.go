package api

import "github.com/creditd/creditd/fsm"

type deleteAPIRequest struct {
	APIID string `json:"apiId" schema:"required,minLength=8,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

// deleteAPI serves apis.deleteApi, docs/contract.md 2.2.
func deleteAPI(c *call, req deleteAPIRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.DeleteAPI{APIID: req.APIID})
	return none{}, err
}
