package api

import "github.com/creditd/creditd/fsm"

type getKeyRequest struct {
	KeyID   keyID `json:"keyId" schema:"required"`
	Decrypt bool  `json:"decrypt" schema:"default=false"`
}

// getKey is keys.getKey, docs/contract.md 2.3.
func getKey() *endpoint {
	return read("keys.getKey", about{
		summary: "Show a key, by its id",
		text:    "Fields without a value are left out. A key without `credits` is unlimited.",
		needs:   []need{forOne(fsm.ReadKeyPermission), forOne(fsm.DecryptKeyPermission).when("to decrypt")},
		example: `{"keyId":"` + exampleKey + `"}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.PreconditionFailed},
	}, func(c *call, req getKeyRequest) (*keyOut, error) {
		return ask(c, &fsm.GetKey{KeyID: string(req.KeyID), Decrypt: req.Decrypt}, showKey)
	})
}
