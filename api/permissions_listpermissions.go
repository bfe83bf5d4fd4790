package api

import (
	"strings"

	"github.com/creditd/creditd/fsm"
)

type listPermissionsRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor" schema:"maxLength=1024"`
	Search pageSearch `json:"search"`
}

// listPermissions is permissions.listPermissions, docs/contract.md 1.14 and 2.5.
func listPermissions() *endpoint {
	return read("permissions.listPermissions", about{
		summary: "List permissions, in the order of their ids",
		text:    nextPage + " `search` matches ids, names, slugs and descriptions.",
		needs:   []need{forAll(fsm.ReadPermissionPermission)},
		example: `{"limit":20,"search":"documents"}`,
	}, func(c *call, req listPermissionsRequest) (page[permissionOut], error) {
		return ask(c, &fsm.ListPermissions{
			Search: strings.TrimSpace(string(req.Search)), Cursor: string(req.Cursor), Limit: int(req.Limit),
		}, func(found *fsm.PermissionList) page[permissionOut] {
			return pageOf(found.Permissions, found.Next, showPermission)
		})
	})
}
