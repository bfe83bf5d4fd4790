package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// secretKey is a full key as a caller presents it.
type secretKey string

func (secretKey) SchemaTag() string {
	return `schema:"minLength=1,maxLength=512" doc:"The full key, as it was shown at its creation."`
}

type whoAmIRequest struct {
	Key secretKey `json:"key" schema:"required"`
}

// whoAmI serves keys.whoami, docs/contract.md 2.3.
func whoAmI(c *call, req whoAmIRequest) (any, error) {
	found, err := answer[*fsm.Key](c, &fsm.WhoAmI{Hash: mint.Hash(string(req.Key))})
	if err != nil {
		return nil, err
	}
	return showKey(found), nil
}
