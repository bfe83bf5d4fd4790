package api

import "github.com/creditd/creditd/fsm"

type deleteKeyRequest struct {
	KeyID     keyID `json:"keyId" schema:"required"`
	Permanent bool  `json:"permanent" schema:"default=false"`
}

// deleteKey serves keys.deleteKey, docs/contract.md 2.3.
func deleteKey(c *call, req deleteKeyRequest) (any, error) {
	_, err := execute[*fsm.Done](c, &fsm.DeleteKey{KeyID: string(req.KeyID), Permanent: req.Permanent})
	return none{}, err
}
