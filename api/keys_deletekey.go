package api

import "github.com/creditd/creditd/fsm"

type deleteKeyRequest struct {
	KeyID     keyID `json:"keyId" schema:"required"`
	Permanent bool  `json:"permanent" schema:"default=false"`
}

// deleteKey is keys.deleteKey, docs/contract.md 2.3.
func deleteKey() *endpoint {
	return write("keys.deleteKey", about{
		summary: "Delete a key",
		text:    "The key stops existing for every endpoint at once, and its records are removed. `permanent` makes no difference.",
		needs:   []need{forOne(fsm.DeleteKeyPermission)},
		example: `{"keyId":"` + exampleKey + `"}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound},
	}, func(c *call, req deleteKeyRequest) (none, error) {
		return change(c, &fsm.DeleteKey{KeyID: string(req.KeyID), Permanent: req.Permanent}, done)
	})
}
