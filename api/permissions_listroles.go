package api

import (
	"strings"

	"github.com/creditd/creditd/fsm"
)

type listRolesRequest struct {
	Limit  pageLimit  `json:"limit"`
	Cursor pageCursor `json:"cursor" schema:"maxLength=1024"`
	Search pageSearch `json:"search"`
}

// listRoles serves permissions.listRoles, docs/contract.md 1.14 and 2.5.
func listRoles(c *call, req listRolesRequest) (any, error) {
	found, err := answer[*fsm.RoleList](c, &fsm.ListRoles{
		Search: strings.TrimSpace(string(req.Search)), Cursor: string(req.Cursor), Limit: int(req.Limit),
	})
	if err != nil {
		return nil, err
	}
	return page{showRoles(found.Roles), found.Next}, nil
}
