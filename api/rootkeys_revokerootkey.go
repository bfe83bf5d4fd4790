package api

import "github.com/creditd/creditd/fsm"

type revokeRootKeyRequest struct {
	KeyID keyID `json:"keyId" schema:"required"`
}

// revokeRootKey is rootKeys.revokeRootKey, docs/contract.md 7.2.
func revokeRootKey() *endpoint {
	return write("rootKeys.revokeRootKey", about{
		summary: "Remove a root key permanently, on all nodes at once",
		text:    "A root key cannot revoke itself.",
		needs:   []need{forAll(fsm.OperateClusterPermission)},
		example: `{"keyId":"` + exampleRootKeyID + `"}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.PreconditionFailed},
	}, func(c *call, req revokeRootKeyRequest) (none, error) {
		return change(c, &fsm.RevokeRootKey{KeyID: string(req.KeyID)}, done)
	})
}
