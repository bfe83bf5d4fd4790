package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type createPermissionRequest struct {
	Name        string          `json:"name" schema:"required,minLength=1,maxLength=512"`
	Slug        permissionSlug  `json:"slug" schema:"required"`
	Description descriptionText `json:"description"`
}

type createPermissionData struct {
	PermissionID string `json:"permissionId"`
}

// createPermission is permissions.createPermission, docs/contract.md 2.5.
func createPermission() *endpoint {
	return write("permissions.createPermission", about{
		summary: "Create a permission",
		text:    "Keys and roles get the permission by its slug, and queries of `keys.verifyKey` name the slug.",
		needs:   []need{forAll(fsm.CreatePermissionPermission)},
		example: `{"name":"Delete documents","slug":"documents.delete","description":"For those who clean up."}`,
		refuses: []fsm.RefusalCode{fsm.PermissionExists},
	}, func(c *call, req createPermissionRequest) (createPermissionData, error) {
		return create(c, func() fsm.Command {
			return &fsm.CreatePermission{
				ID: mint.ID(mint.Permission), Name: req.Name, Slug: string(req.Slug), Description: string(req.Description),
			}
		}, func(created *fsm.Created) createPermissionData { return createPermissionData{created.ID} })
	})
}
