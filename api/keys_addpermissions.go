package api

import "github.com/creditd/creditd/fsm"

type addKeyPermissionsRequest struct {
	KeyID       keyID            `json:"keyId" schema:"required"`
	Permissions []permissionSlug `json:"permissions" schema:"required,minItems=1,maxItems=1000"`
}

// addKeyPermissions is keys.addPermissions, docs/contract.md 2.3.
func addKeyPermissions() *endpoint {
	return write("keys.addPermissions", about{
		summary: "Give permissions to a key",
		text:    "Unknown permissions are created. The answer lists the direct permissions of the key, without those of its roles.",
		needs:   []need{forOne(fsm.UpdateKeyPermission), forAll(fsm.AddPermissionToKeyPermission), forAll(fsm.CreatePermissionPermission).when("to create permissions")},
		example: `{"keyId":"` + exampleKey + `","permissions":["` + exampleSlug + `"]}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound},
	}, func(c *call, req addKeyPermissionsRequest) ([]permissionOut, error) {
		return linkKeyPermissions(c, req.KeyID, fsm.AddLinks, req.Permissions)
	})
}
