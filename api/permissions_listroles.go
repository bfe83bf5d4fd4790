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

// listRoles is permissions.listRoles, docs/contract.md 1.14 and 2.5.
func listRoles() *endpoint {
	return read("permissions.listRoles", about{
		summary: "List roles, in the order of their ids",
		text:    nextPage + " `search` matches ids, names and descriptions.",
		needs:   []need{forAll(fsm.ReadRolePermission)},
		example: `{"limit":20}`,
	}, func(c *call, req listRolesRequest) (page[roleOut], error) {
		return ask(c, &fsm.ListRoles{
			Search: strings.TrimSpace(string(req.Search)), Cursor: string(req.Cursor), Limit: int(req.Limit),
		}, func(found *fsm.RoleList) page[roleOut] { return pageOf(found.Roles, found.Next, showRole) })
	})
}
