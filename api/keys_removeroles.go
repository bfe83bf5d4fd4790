package api

import "github.com/creditd/creditd/fsm"

type removeKeyRolesRequest struct {
	KeyID keyID      `json:"keyId" schema:"required"`
	Roles []roleName `json:"roles" schema:"required,minItems=1,maxItems=100"`
}

// removeKeyRoles is keys.removeRoles, docs/contract.md 2.3.
func removeKeyRoles() *endpoint {
	return write("keys.removeRoles", about{
		summary: "Take roles from a key",
		text:    "The answer lists the remaining roles. If one of them is unknown, nothing is removed.",
		needs:   []need{forOne(fsm.UpdateKeyPermission)},
		example: `{"keyId":"` + exampleKey + `","roles":["` + exampleRole + `"]}`,
		refuses: []fsm.RefusalCode{fsm.KeyNotFound, fsm.RoleNotFound},
	}, func(c *call, req removeKeyRolesRequest) ([]roleOut, error) {
		return linkKeyRoles(c, req.KeyID, fsm.RemoveLinks, req.Roles)
	})
}
