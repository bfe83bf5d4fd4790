package api

import "github.com/creditd/creditd/fsm"

type getIdentityRequest struct {
	Identity identityRef `json:"identity" schema:"required"`
}

// getIdentity is identities.getIdentity, docs/contract.md 2.4.
func getIdentity() *endpoint {
	return read("identities.getIdentity", about{
		summary: "Show an identity, by its id or its externalId",
		needs:   []need{forOne(fsm.ReadIdentityPermission)},
		example: `{"identity":"` + exampleExternalID + `"}`,
		refuses: []fsm.RefusalCode{fsm.IdentityNotFound},
	}, func(c *call, req getIdentityRequest) (*identityOut, error) {
		return ask(c, &fsm.GetIdentity{Identity: string(req.Identity)}, showIdentity)
	})
}
