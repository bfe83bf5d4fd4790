package api

import "github.com/creditd/creditd/fsm"

type setKeyPermissionsRequest struct {
	KeyID       keyID            `json:"keyId" schema:"required"`
	Permissions []permissionSlug `json:"permissions" schema:"required,maxItems=1000"`
}

// setKeyPermissions is keys.setPermissions, docs/contract.md 2.3.
func setKeyPermissions() *endpoint {
	return write("keys.setPermissions", about{
		summary: "Replace the permissions of a key",
		text:    "Unknown permissions are created. Permissions through roles stay.",
		needs: []need{forOne(fsm.UpdateKeyPermission), forAll(fsm.AddPermissionToKeyPermission), forAll(fsm.RemovePermissionFromKeyPermission),
			forAll(fsm.CreatePermissionPermission).when("to create permissions")},
		example: `{"keyId":"` + exampleKey + `","permissions":["` + exampleSlug + `","documents.write"]}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound},
	}, func(c *call, req setKeyPermissionsRequest) ([]permissionOut, error) {
		return linkKeyPermissions(c, req.KeyID, fsm.SetLinks, req.Permissions)
	})
}
