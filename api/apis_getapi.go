package api

import "github.com/creditd/creditd/fsm"

type getAPIRequest struct {
	APIID string `json:"apiId" schema:"required,minLength=8,maxLength=255,pattern=^[a-zA-Z0-9_]+$"`
}

type apiOut struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// getAPI is apis.getApi, docs/contract.md 2.2.
func getAPI() *endpoint {
	return read("apis.getApi", about{
		summary:   "Show an API",
		needs:     []need{forOne(fsm.ReadAPIPermission)},
		needsNote: checkedFirst,
		example:   `{"apiId":"` + exampleAPI + `"}`,
		refuses:   []fsm.RefusalCode{fsm.APINotFound},
	}, func(c *call, req getAPIRequest) (apiOut, error) {
		return ask(c, &fsm.GetAPI{APIID: req.APIID}, showAPI)
	})
}
