package api

import "github.com/creditd/creditd/fsm"

type removeKeyPermissionsRequest struct {
	KeyID       keyID            `json:"keyId" schema:"required"`
	Permissions []permissionSlug `json:"permissions" schema:"required,minItems=1,maxItems=1000"`
}

// removeKeyPermissions is keys.removePermissions, docs/contract.md 2.3.
func removeKeyPermissions() *endpoint {
	return write("keys.removePermissions", about{
		summary: "Take permissions from a key",
		text:    "The answer lists the remaining direct permissions. If one of them is unknown, nothing is removed.",
		needs:   []need{forOne(fsm.UpdateKeyPermission), forAll(fsm.RemovePermissionFromKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","permissions":["` + exampleSlug + `"]}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.PermissionNotFound},
	}, func(c *call, req removeKeyPermissionsRequest) ([]permissionOut, error) {
		return linkKeyPermissions(c, req.KeyID, fsm.RemoveLinks, req.Permissions)
	})
}
