package api

import "github.com/creditd/creditd/fsm"

type deleteIdentityRequest struct {
	Identity identityRef `json:"identity" schema:"required"`
}

// deleteIdentity is identities.deleteIdentity, docs/contract.md 2.4.
func deleteIdentity() *endpoint {
	return write("identities.deleteIdentity", about{
		summary: "Delete an identity",
		text: "Its keys stay valid and lose the identity: their own credits pay, or they are unlimited. The externalId is free at once. The " +
			"answer has no `data`.",
		needs:     []need{forAll(fsm.DeleteIdentityPermission)},
		needsNote: checkedFirst,
		example:   `{"identity":"` + exampleExternalID + `"}`,
		refuses:   []fsm.RefusalCode{fsm.IdentityNotFound},
		metaOnly:  true,
	}, func(c *call, req deleteIdentityRequest) (none, error) {
		return change(c, &fsm.DeleteIdentity{Identity: string(req.Identity)}, done)
	})
}
