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

// createAPI is apis.createApi, docs/contract.md 2.2.
func createAPI() *endpoint {
	return write("apis.createApi", about{
		summary: "Create an API, which is a group of keys",
		text:    "Names need not be unique: two calls create two APIs.",
		needs:   []need{forAll(fsm.CreateAPIPermission)},
		example: `{"name":"payments"}`,
	}, func(c *call, req createAPIRequest) (createAPIData, error) {
		return create(c, func() fsm.Command {
			return &fsm.CreateAPI{ID: mint.ID(mint.API), KeyspaceID: mint.ID(mint.Keyspace), Name: req.Name}
		}, func(created *fsm.Created) createAPIData { return createAPIData{created.ID} })
	})
}
