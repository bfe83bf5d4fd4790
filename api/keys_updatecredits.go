package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateKeyCreditsRequest struct {
	KeyID     string                 `json:"keyId" schema:"required,minLength=3"`
	Operation string                 `json:"operation" schema:"required,enum=set|increment|decrement"`
	Value     schema.Nullable[int64] `json:"value" schema:"minimum=0"`
}

// updateKeyCredits serves keys.updateCredits, docs/contract.md 2.3 and 4.4.
func updateKeyCredits(c *call, req updateKeyCreditsRequest) (any, error) {
	after, err := execute[*fsm.Credits](c, &fsm.UpdateKeyCredits{
		KeyID: req.KeyID, Change: balanceUpdate(req.Operation, req.Value),
	})
	if err != nil {
		return nil, err
	}
	return showCredits(after), nil
}
