package api

import "github.com/creditd/creditd/fsm"

type roleName string

func (roleName) SchemaTag() string { return `schema:"minLength=1,maxLength=128"` }

func roleNames(names []roleName) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	return list
}

type roleOut struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Permissions []permissionOut `json:"permissions,omitempty"`
}

func showRole(r *fsm.Role) roleOut {
	return roleOut{ID: r.ID, Name: r.Name, Description: r.Description, Permissions: showList(r.Permissions, showPermission)}
}

// linkKeyRoles adds, removes or sets the roles of a key.
func linkKeyRoles(c *call, key keyID, op fsm.LinkOp, names []roleName) ([]roleOut, error) {
	return change(c, &fsm.LinkKeyRoles{KeyID: string(key), Op: op, Roles: roleNames(names)}, func(after *fsm.RoleList) []roleOut {
		return showList(after.Roles, showRole)
	})
}
