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

// listPermissions serves permissions.listPermissions, docs/contract.md 1.14 and 2.5.
func listPermissions(c *call, req listPermissionsRequest) (any, error) {
	found, err := answer[*fsm.PermissionList](c, &fsm.ListPermissions{
		Search: strings.TrimSpace(string(req.Search)), Cursor: string(req.Cursor), Limit: int(req.Limit),
	})
	if err != nil {
		return nil, err
	}
	return page{showPermissions(found.Permissions), found.Next}, nil
}
