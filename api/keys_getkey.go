package api

import "github.com/creditd/creditd/fsm"

type getKeyRequest struct {
	KeyID   keyID `json:"keyId" schema:"required"`
	Decrypt bool  `json:"decrypt" schema:"default=false"`
}

// getKey serves keys.getKey, docs/contract.md 2.3.
func getKey(c *call, req getKeyRequest) (any, error) {
	found, err := answer[*fsm.Key](c, &fsm.GetKey{KeyID: string(req.KeyID), Decrypt: req.Decrypt})
	if err != nil {
		return nil, err
	}
	return showKey(found), nil
}
