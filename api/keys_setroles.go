package api

import "github.com/creditd/creditd/fsm"

type setKeyRolesRequest struct {
	KeyID keyID      `json:"keyId" schema:"required"`
	Roles []roleName `json:"roles" schema:"required,maxItems=100"`
}

// setKeyRoles is keys.setRoles, docs/contract.md 2.3.
func setKeyRoles() *endpoint {
	return write("keys.setRoles", about{
		summary: "Replace the roles of a key",
		needs:   []need{forOne(fsm.UpdateKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","roles":["` + exampleRole + `"]}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.RoleNotFound},
	}, func(c *call, req setKeyRolesRequest) ([]roleOut, error) {
		return linkKeyRoles(c, req.KeyID, fsm.SetLinks, req.Roles)
	})
}
