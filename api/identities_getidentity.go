package api

import "github.com/creditd/creditd/fsm"

type getIdentityRequest struct {
	Identity identityRef `json:"identity" schema:"required"`
}

// getIdentity serves identities.getIdentity, docs/contract.md 2.4.
func getIdentity(c *call, req getIdentityRequest) (any, error) {
	found, err := answer[*fsm.Identity](c, &fsm.GetIdentity{Identity: string(req.Identity)})
	if err != nil {
		return nil, err
	}
	return showIdentity(found), nil
}
