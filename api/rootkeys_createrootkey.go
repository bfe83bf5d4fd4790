package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type createRootKeyRequest struct {
	Name        string                  `json:"name" schema:"required,minLength=1,maxLength=255"`
	Permissions []string                `json:"permissions" schema:"required,minItems=1,maxItems=1000" items:"minLength=1,maxLength=512"`
	WorkspaceID string                  `json:"workspaceId" schema:"minLength=1,maxLength=255"`
	Expires     schema.Optional[expiry] `json:"expires"`
}

// createRootKey serves rootKeys.createRootKey, docs/contract.md 7.2.
func createRootKey(c *call, req createRootKeyRequest) (any, error) {
	var key string
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		key = mint.RootKey()
		return &fsm.CreateRootKey{
			ID: mint.ID(mint.Key), Hash: mint.Hash(key), Name: req.Name, WorkspaceID: req.WorkspaceID,
			Permissions: req.Permissions, Expires: expiresAt(req.Expires),
		}
	})
	if err != nil {
		return nil, err
	}
	return createKeyData{KeyID: created.ID, Key: key}, nil
}
