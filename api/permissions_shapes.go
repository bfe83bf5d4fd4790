package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// What the endpoints about permissions and roles share, docs/contract.md 2.0.

type slug string

func (slug) SchemaTag() string {
	return `schema:"minLength=1,maxLength=128,pattern=^[a-zA-Z0-9_:\\-\\.\\*]+$"`
}

type roleName string

func (roleName) SchemaTag() string { return `schema:"minLength=1,maxLength=128"` }

type prose string

func (prose) SchemaTag() string { return `schema:"maxLength=512"` }

// slugRefs proposes an id for every slug: the ledger decides which of them are new.
func slugRefs(slugs []slug) []fsm.SlugRef {
	refs := make([]fsm.SlugRef, len(slugs))
	for i, s := range slugs {
		refs[i] = fsm.SlugRef{Slug: string(s), ID: mint.ID(mint.Permission)}
	}
	return refs
}

func roleNames(names []roleName) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = string(name)
	}
	return list
}

type permissionOut struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	Description string `json:"description,omitempty"`
}

type roleOut struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Permissions []permissionOut `json:"permissions,omitempty"`
}

func showRole(r fsm.Role) roleOut {
	return roleOut{ID: r.ID, Name: r.Name, Description: r.Description, Permissions: showPermissions(r.Permissions)}
}

// showPermissions returns an array also when there is none: null is no list.
func showPermissions(list []fsm.Permission) []permissionOut {
	shown := make([]permissionOut, len(list))
	for i, p := range list {
		shown[i] = permissionOut(p)
	}
	return shown
}

// showRoles returns an array also when there is none.
func showRoles(list []fsm.Role) []roleOut {
	shown := make([]roleOut, len(list))
	for i, r := range list {
		shown[i] = showRole(r)
	}
	return shown
}

// linkKeyPermissions serves the endpoints that add, remove or set the direct permissions of a key.
func linkKeyPermissions(c *call, key keyID, op fsm.LinkOp, slugs []slug) (any, error) {
	after, err := executeNew[*fsm.PermissionList](c, func() fsm.Command {
		return &fsm.LinkKeyPermissions{KeyID: string(key), Op: op, Permissions: slugRefs(slugs)}
	})
	if err != nil {
		return nil, err
	}
	return showPermissions(after.Permissions), nil
}

// linkKeyRoles serves the endpoints that add, remove or set the roles of a key.
func linkKeyRoles(c *call, key keyID, op fsm.LinkOp, names []roleName) (any, error) {
	after, err := execute[*fsm.RoleList](c, &fsm.LinkKeyRoles{KeyID: string(key), Op: op, Roles: roleNames(names)})
	if err != nil {
		return nil, err
	}
	return showRoles(after.Roles), nil
}
