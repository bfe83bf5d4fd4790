package api

import "github.com/creditd/creditd/fsm"

type deletePermissionRequest struct {
	Permission permissionSlug `json:"permission" schema:"required"` // id or slug
}

// deletePermission is permissions.deletePermission, docs/contract.md 2.5.
func deletePermission() *endpoint {
	return write("permissions.deletePermission", about{
		summary:   "Delete a permission, by its id or its slug",
		text:      "All keys and roles lose the permission at once.",
		needs:     []need{forAll(fsm.DeletePermissionPermission)},
		needsNote: checkedFirst,
		example:   `{"permission":"` + exampleSlug + `"}`,
		refuses:   []fsm.RefusalCode{fsm.PermissionNotFound},
	}, func(c *call, req deletePermissionRequest) (none, error) {
		return change(c, &fsm.DeletePermission{Permission: string(req.Permission)}, done)
	})
}
