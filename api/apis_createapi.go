package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type createAPIRequest struct {
	Name string `json:"name" schema:"required,minLength=3,maxLength=256"`
}

type createAPIData struct {
	APIID string `json:"apiId"`
}

// createAPI serves apis.createApi, docs/contract.md 2.2.
func createAPI(c *call, req createAPIRequest) (any, error) {
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		return &fsm.CreateAPI{ID: mint.ID(mint.API), KeyspaceID: mint.ID(mint.Keyspace), Name: req.Name}
	})
	if err != nil {
		return nil, err
	}
	return createAPIData{created.ID}, nil
}
