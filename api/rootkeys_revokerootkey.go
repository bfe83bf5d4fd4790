package api

import "github.com/creditd/creditd/fsm"

type revokeRootKeyRequest struct {
	KeyID keyID `json:"keyId" schema:"required"`
}

// revokeRootKey serves rootKeys.revokeRootKey, docs/contract.md 7.2.
func revokeRootKey(c *call, req revokeRootKeyRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.RevokeRootKey{KeyID: string(req.KeyID)})
	return none{}, err
}
