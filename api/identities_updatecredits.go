package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type updateIdentityCreditsRequest struct {
	Identity  string                 `json:"identity" schema:"required,minLength=3"`
	Operation string                 `json:"operation" schema:"required,enum=set|increment|decrement"`
	Value     schema.Nullable[int64] `json:"value" schema:"minimum=0"`
}

// updateIdentityCredits is identities.updateCredits, docs/contract.md 2.4 and 4.4.
func updateIdentityCredits() *endpoint {
	return write("identities.updateCredits", about{
		summary: "Set, raise or lower the balance that the keys of an identity share",
		text:    "The operations are those of `keys.updateCredits`. The change holds for all keys of the identity at once.",
		needs:   []need{forOne(fsm.UpdateIdentityPermission)},
		example: `{"identity":"` + exampleExternalID + `","operation":"set","value":100}`,
		refuses: []fsm.RefusalCode{fsm.IdentityNotFound},
	}, func(c *call, req updateIdentityCreditsRequest) (*creditsOut, error) {
		return change(c, &fsm.UpdateIdentityCredits{Identity: req.Identity, Change: balanceUpdate(req.Operation, req.Value)}, showCredits)
	})
}
