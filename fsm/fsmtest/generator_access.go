package fsmtest

import (
	"fmt"
	"math"
	"strings"

	"github.com/creditd/creditd/fsm"
)

// slugs is short, so that commands meet each other, and has spellings that differ in case, and names that are also ids.
var slugs = []string{"a", "A", "docs.read", "Docs.Read", "docs.write", "*", "api.*", "perm_1", "PERM_2", "x/y:z-1"}

var roleNames = []string{"r", "R", "editor", "Größe", "GRÖSSE", "grÖße", "редактор", "РЕДАКТОР", "role_1", "Ёлка", "ёЛКА", "a b"}

func (g *Generator) slugRefs() []fsm.PermissionRef {
	list := make([]fsm.PermissionRef, g.rng.IntN(5))
	for i := range list {
		list[i] = fsm.PermissionRef{Slug: pick(g, slugs...), ID: g.newPermissionID()}
	}
	return list
}

func (g *Generator) roleNames() []string {
	list := make([]string, g.rng.IntN(3))
	for i := range list {
		list[i] = pick(g, roleNames...)
	}
	return list
}

func (g *Generator) newPermissionID() string {
	return fmt.Sprintf("perm_%d", g.fresh(&g.permissionIDs, math.MaxInt))
}

func (g *Generator) newRoleID() string {
	return fmt.Sprintf("role_%d", g.fresh(&g.roleIDs, math.MaxInt))
}

func (g *Generator) permissionRef() string {
	if g.chance(50) {
		return pick(g, slugs...)
	}
	return fmt.Sprintf("perm_%d", g.recent(g.permissionIDs, 20))
}

func (g *Generator) roleID() string { return fmt.Sprintf("role_%d", g.recent(g.roleIDs, 10)) }

func (g *Generator) roleRef() string {
	if g.chance(50) {
		return pick(g, roleNames...)
	}
	return g.roleID()
}

func (g *Generator) linkOp() fsm.LinkOp { return pick(g, fsm.AddLinks, fsm.RemoveLinks, fsm.SetLinks) }

// accessCommand is a command about permissions or roles.
func (g *Generator) accessCommand() fsm.Command {
	switch n := g.rng.IntN(100); {
	case n < 15:
		return &fsm.CreatePermission{ID: g.newPermissionID(), Name: g.text(), Slug: pick(g, slugs...), Description: g.text()}
	case n < 25:
		return &fsm.DeletePermission{Permission: g.permissionRef()}
	case n < 40:
		return &fsm.CreateRole{ID: g.newRoleID(), Name: pick(g, roleNames...), Description: g.text(), Permissions: g.slugRefs()}
	case n < 48:
		return &fsm.DeleteRole{Role: g.roleRef()}
	case n < 60:
		return &fsm.SetRolePermissions{RoleID: g.roleID(), Permissions: g.slugRefs()}
	case n < 82:
		return &fsm.LinkKeyPermissions{KeyID: g.keyID(), Op: g.linkOp(), Permissions: g.slugRefs()}
	default:
		return &fsm.LinkKeyRoles{KeyID: g.keyID(), Op: g.linkOp(), Roles: g.roleNames()}
	}
}

// permissionQuery is mostly none, and at times one that does not parse.
func (g *Generator) permissionQuery() string {
	if g.chance(75) {
		return ""
	}
	var b strings.Builder
	g.expression(&b, 3)
	if query := b.String(); g.chance(90) {
		return query
	} else if at := g.rng.IntN(len(query) + 1); g.chance(50) {
		return query[:at] + pick(g, " and ", "(", ")", "$", " b", "ü") + query[at:]
	} else {
		return query[:at] + " "
	}
}

func (g *Generator) expression(b *strings.Builder, depth int) {
	if depth == 0 || g.chance(40) {
		b.WriteString(pick(g, slugs...))
		return
	}
	open, closing := "", ""
	if g.chance(50) {
		open, closing = "( ", ")"
	}
	b.WriteString(open)
	g.expression(b, depth-1)
	b.WriteString(pick(g, " AND ", " OR ", " or\t", "\nand "))
	g.expression(b, depth-1)
	b.WriteString(closing)
}

// accessQuery is a query about permissions or roles.
func (g *Generator) accessQuery() fsm.Query {
	search, limit := pick(g, "", "", "d", "DOCS", "ö", "_1", "%"), 1+g.rng.IntN(6)
	switch g.rng.IntN(4) {
	case 0:
		return &fsm.GetPermission{Permission: g.permissionRef()}
	case 1:
		return &fsm.GetRole{Role: g.roleRef()}
	case 2:
		return &fsm.ListPermissions{Search: search, Limit: limit, Cursor: pick(g, "", "perm", g.permissionRef(), "z")}
	default:
		return &fsm.ListRoles{Search: search, Limit: limit, Cursor: pick(g, "", "role", g.roleID(), "z")}
	}
}

func (g *Generator) accessQuestions(ask func(fsm.Query)) {
	ask(&fsm.ListPermissions{Limit: math.MaxInt})
	ask(&fsm.ListRoles{Limit: math.MaxInt})
	for n := range g.permissionIDs {
		ask(&fsm.GetPermission{Permission: fmt.Sprintf("perm_%d", n)})
	}
	for n := range g.roleIDs {
		ask(&fsm.GetRole{Role: fmt.Sprintf("role_%d", n)})
	}
}
