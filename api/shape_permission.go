package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

type permissionSlug string

func (permissionSlug) SchemaTag() string {
	return `schema:"minLength=1,maxLength=128,pattern=^[a-zA-Z0-9_:\\-\\.\\*]+$"`
}

// descriptionText is the description of a permission or role.
type descriptionText string

func (descriptionText) SchemaTag() string { return `schema:"maxLength=512"` }

// permissionRefs proposes an id for every slug: the ledger decides which of them are new.
func permissionRefs(slugs []permissionSlug) []fsm.PermissionRef {
	refs := make([]fsm.PermissionRef, len(slugs))
	for i, s := range slugs {
		refs[i] = fsm.PermissionRef{Slug: string(s), ID: mint.ID(mint.Permission)}
	}
	return refs
}

type permissionOut struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Slug        string `json:"slug"`
	Description string `json:"description,omitempty"`
}

func showPermission(p *fsm.Permission) permissionOut { return permissionOut(*p) }

func showPermissions(list *fsm.PermissionList) []permissionOut {
	return showList(list.Permissions, showPermission)
}

// linkKeyPermissions adds, removes or sets the direct permissions of a key.
func linkKeyPermissions(c *call, key keyID, op fsm.LinkOp, slugs []permissionSlug) ([]permissionOut, error) {
	return create(c, func() fsm.Command {
		return &fsm.LinkKeyPermissions{KeyID: string(key), Op: op, Permissions: permissionRefs(slugs)}
	}, showPermissions)
}
