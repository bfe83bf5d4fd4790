package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateIdentityCreditsRequest struct {
	Identity  string                 `json:"identity" schema:"required,minLength=3"`
	Operation string                 `json:"operation" schema:"required,enum=set|increment|decrement"`
	Value     schema.Nullable[int64] `json:"value" schema:"minimum=0"`
}

// updateIdentityCredits serves identities.updateCredits, docs/contract.md 2.4 and 4.4.
func updateIdentityCredits(c *call, req updateIdentityCreditsRequest) (any, error) {
	after, err := execute[*fsm.Credits](c, &fsm.UpdateIdentityCredits{
		Identity: req.Identity, Change: balanceUpdate(req.Operation, req.Value),
	})
	if err != nil {
		return nil, err
	}
	return showCredits(after), nil
}
