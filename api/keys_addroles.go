package api

import "github.com/creditd/creditd/fsm"

type addKeyRolesRequest struct {
	KeyID keyID      `json:"keyId" schema:"required"`
	Roles []roleName `json:"roles" schema:"required,minItems=1,maxItems=100"`
}

// addKeyRoles is keys.addRoles, docs/contract.md 2.3.
func addKeyRoles() *endpoint {
	return write("keys.addRoles", about{
		summary: "Give roles to a key",
		text:    "The answer lists all roles of the key.",
		needs:   []need{forOne(fsm.UpdateKeyPermission), forAll(fsm.AddRoleToKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","roles":["` + exampleRole + `"]}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.RoleNotFound},
	}, func(c *call, req addKeyRolesRequest) ([]roleOut, error) {
		return linkKeyRoles(c, req.KeyID, fsm.AddLinks, req.Roles)
	})
}
