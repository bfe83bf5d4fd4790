package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type whoAmIRequest struct {
	Key secretKey `json:"key" schema:"required"`
}

// whoAmI is keys.whoami, docs/contract.md 2.3.
func whoAmI() *endpoint {
	return read("keys.whoami", about{
		summary:   "Show a key, by the full key",
		text:      "The call debits nothing. It works for disabled and expired keys.",
		needs:     []need{forOne(fsm.ReadKeyPermission).silently()},
		needsNote: "Without it, the key is not found.",
		example:   `{"key":"` + exampleSecret + `"}`,
		refuses:   []fsm.RefusalCode{fsm.KeyNotFound},
	}, func(c *call, req whoAmIRequest) (*keyOut, error) {
		return ask(c, &fsm.WhoAmI{Hash: mint.Hash(string(req.Key))}, showKey)
	})
}
