package api

import "github.com/creditd/creditd/fsm"

type deleteIdentityRequest struct {
	Identity   identityRef `json:"identity" schema:"required"`
	DeleteKeys bool        `json:"deleteKeys" schema:"default=false" doc:"Delete its keys in the same step."`
}

// deleteIdentity is identities.deleteIdentity, docs/contract.md 2.4.
func deleteIdentity() *endpoint {
	return write("identities.deleteIdentity", about{
		summary: "Delete an identity",
		text: "Its credits are withdrawn. Its keys stay valid and lose the identity, and their own credits pay. A key without credits of its own " +
			"that the identity's credits limited stays limited, with 0, until it is linked to another identity, unlinked, or given credits. " +
			"`deleteKeys` deletes the keys in the same step. The externalId is free at once. The answer has no `data`.",
		needs:     []need{forAll(fsm.DeleteIdentityPermission), forAll(fsm.DeleteKeyPermission).when("to delete its keys")},
		needsNote: checkedFirst,
		example:   `{"identity":"` + exampleExternalID + `"}`,
		refuses:   []fsm.RefusalCode{fsm.IdentityNotFound, fsm.LedgerVersionTooLow},
		metaOnly:  true,
	}, func(c *call, req deleteIdentityRequest) (none, error) {
		return change(c, &fsm.DeleteIdentity{Identity: string(req.Identity), DeleteKeys: req.DeleteKeys}, done)
	})
}
