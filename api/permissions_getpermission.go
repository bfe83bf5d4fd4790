package api

import "github.com/creditd/creditd/fsm"

type getPermissionRequest struct {
	Permission permissionSlug `json:"permission" schema:"required"` // id or slug
}

// getPermission is permissions.getPermission, docs/contract.md 2.5.
func getPermission() *endpoint {
	return read("permissions.getPermission", about{
		summary:   "Show a permission, by its id or its slug",
		needs:     []need{forAll(fsm.ReadPermissionPermission)},
		needsNote: checkedFirst,
		example:   `{"permission":"` + exampleSlug + `"}`,
		refuses:   []fsm.RefusalCode{fsm.PermissionNotFound},
	}, func(c *call, req getPermissionRequest) (permissionOut, error) {
		return ask(c, &fsm.GetPermission{Permission: string(req.Permission)}, showPermission)
	})
}
