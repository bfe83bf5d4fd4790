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

// createRootKey is rootKeys.createRootKey, docs/contract.md 7.2.
func createRootKey() *endpoint {
	return write("rootKeys.createRootKey", about{
		summary:       "Create a root key",
		text:          "Only this answer shows the root key.",
		needs:         []need{forAll(fsm.OperateClusterPermission)},
		example:       `{"name":"ci","permissions":["` + string(fsm.VerifyKeyPermission) + `","` + string(fsm.ReadKeyPermission) + `"]}`,
		returnsSecret: true,
	}, func(c *call, req createRootKeyRequest) (createKeyData, error) {
		var key string
		created, err := executeNew[*fsm.Created](c, func() fsm.Command {
			id := mint.ID(mint.Key)
			key, _ = c.secret(mint.RootPrefix, mint.RootKeyBytes, id)
			return &fsm.CreateRootKey{
				ID: id, Hash: mint.Hash(key), Name: req.Name, WorkspaceID: req.WorkspaceID,
				Permissions: req.Permissions, Expires: expiresAt(req.Expires),
			}
		})
		if err != nil {
			return createKeyData{}, err
		}
		if c.replayed {
			key, _ = c.secret(mint.RootPrefix, mint.RootKeyBytes, created.ID)
		}
		return createKeyData{KeyID: created.ID, Key: key}, nil
	})
}
