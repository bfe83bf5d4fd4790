package api

import "github.com/creditd/creditd/fsm"

type getAPIRequest struct {
	APIID string `json:"apiId" schema:"required,minLength=8,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

type apiOut struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// getAPI serves apis.getApi, docs/contract.md 2.2.
func getAPI(c *call, req getAPIRequest) (any, error) {
	found, err := answer[*fsm.API](c, &fsm.GetAPI{APIID: req.APIID})
	if err != nil {
		return nil, err
	}
	return apiOut{ID: found.ID, Name: found.Name}, nil
}
