package api

import "github.com/creditd/creditd/fsm"

type deleteIdentityRequest struct {
	Identity identityRef `json:"identity" schema:"required"`
}

// deleteIdentity serves identities.deleteIdentity, docs/contract.md 2.4.
func deleteIdentity(c *call, req deleteIdentityRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.DeleteIdentity{Identity: string(req.Identity)})
	return none{}, err
}
