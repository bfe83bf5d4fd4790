package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// The command kinds. Their numbers are in logs: append only.
const (
	bootstrapKind byte = iota + 1
	createWorkspaceKind
	createRootKeyKind
	createAPIKind
	createKeyKind
	updateKeyKind
	deleteKeyKind
	updateKeyCreditsKind
	updateIdentityCreditsKind
	createIdentityKind
	updateIdentityKind
	deleteIdentityKind
	verifyKeyKind

	openSessionKind byte = 70
)

// The command kinds about permissions and roles.
const (
	verifyKeyExtendedKind byte = iota + 30 // a verification that asks for more than most do
	createPermissionKind
	deletePermissionKind
	createRoleKind
	deleteRoleKind
	setRolePermissionsKind
	linkKeyPermissionsKind
	linkKeyRolesKind
)

// The command kinds of what ends, rerolls and migrations.
const (
	deleteAPIKind byte = iota + 20
	revokeRootKeyKind
	updateWorkspaceKind
	rerollKeyKind
	createMigrationKind
	migrateKeysKind
	verifyMigratedKind
)

// command codes the kind and the fields of one command.
func (c *coder) command(p *fsm.Command, verifications *slab) {
	var extended bool // a verification that asks for more than most do, or keys that have more
	if c.reading {
		var kind byte
		c.byte(&kind)
		switch kind {
		case verifyKeyKind, verifyKeyExtendedKind:
			extended = kind == verifyKeyExtendedKind
			*p = verifications.next()
		case migrateKeysExtendedKind:
			extended = true
			*p = &fsm.MigrateKeys{}
		default:
			*p = newCommand(kind)
		}
		if *p == nil {
			c.fail(fmt.Errorf("command of unknown kind %d", kind))
			return
		}
	}
	switch m := (*p).(type) {
	case *fsm.VerifyKey:
		c.verifyKey(m, extended)
	case *fsm.UpdateKeyCredits:
		c.kind(updateKeyCreditsKind)
		c.string(&m.KeyID)
		c.balanceChange(&m.Change)
	case *fsm.UpdateIdentityCredits:
		c.kind(updateIdentityCreditsKind)
		c.string(&m.Identity)
		c.balanceChange(&m.Change)
	case *fsm.CreateKey:
		c.kind(createKeyKind)
		c.createKey(m)
	case *fsm.UpdateKey:
		c.kind(updateKeyKind)
		c.updateKey(m)
	case *fsm.DeleteKey:
		c.kind(deleteKeyKind)
		c.string(&m.KeyID)
		c.bool(&m.Permanent)
	case *fsm.CreateIdentity:
		c.kind(createIdentityKind)
		c.createIdentity(m)
	case *fsm.UpdateIdentity:
		c.kind(updateIdentityKind)
		c.updateIdentity(m)
	case *fsm.DeleteIdentity:
		c.kind(deleteIdentityKind)
		c.string(&m.Identity)
	case *fsm.CreateAPI:
		c.kind(createAPIKind)
		c.string(&m.ID)
		c.string(&m.KeyspaceID)
		c.string(&m.Name)
	case *fsm.CreateRootKey:
		c.kind(createRootKeyKind)
		c.createRootKey(m)
	case *fsm.CreateWorkspace:
		c.kind(createWorkspaceKind)
		c.string(&m.ID)
		c.string(&m.Name)
	case *fsm.Bootstrap:
		c.kind(bootstrapKind)
		c.bootstrap(m)

	case *fsm.DeleteAPI:
		c.kind(deleteAPIKind)
		c.string(&m.APIID)
	case *fsm.RevokeRootKey:
		c.kind(revokeRootKeyKind)
		c.string(&m.KeyID)
	case *fsm.UpdateWorkspace:
		c.kind(updateWorkspaceKind)
		c.string(&m.WorkspaceID)
		c.bool(&m.Enabled)
	case *fsm.RerollKey:
		c.kind(rerollKeyKind)
		c.rerollKey(m)
	case *fsm.CreateMigration:
		c.kind(createMigrationKind)
		c.string(&m.ID)
		c.algorithm(&m.Algorithm)
	case *fsm.MigrateKeys:
		c.migrateKeys(m, extended)
	case *fsm.VerifyMigrated:
		c.kind(verifyMigratedKind)
		c.verifyMigrated(m)

	case *fsm.VerifyKeys:
		c.kind(verifyKeysKind)
		c.verifyKeys(m, verifications)

	case *fsm.OpenSession:
		c.kind(openSessionKind)
		c.string(&m.Node)

	case *fsm.CreatePermission:
		c.kind(createPermissionKind)
		c.string(&m.ID)
		c.string(&m.Name)
		c.string(&m.Slug)
		c.string(&m.Description)
	case *fsm.DeletePermission:
		c.kind(deletePermissionKind)
		c.string(&m.Permission)
	case *fsm.CreateRole:
		c.kind(createRoleKind)
		c.string(&m.ID)
		c.string(&m.Name)
		c.string(&m.Description)
		list(c, &m.Permissions, c.slugRef)
	case *fsm.DeleteRole:
		c.kind(deleteRoleKind)
		c.string(&m.Role)
	case *fsm.SetRolePermissions:
		c.kind(setRolePermissionsKind)
		c.string(&m.RoleID)
		list(c, &m.Permissions, c.slugRef)
	case *fsm.LinkKeyPermissions:
		c.kind(linkKeyPermissionsKind)
		c.string(&m.KeyID)
		enum(c, &m.Op, fsm.AddLinks, fsm.SetLinks)
		list(c, &m.Permissions, c.slugRef)
	case *fsm.LinkKeyRoles:
		c.kind(linkKeyRolesKind)
		c.string(&m.KeyID)
		enum(c, &m.Op, fsm.AddLinks, fsm.SetLinks)
		c.strings(&m.Roles)

	case *fsm.Limit:
		c.kind(limitKind)
		c.limit(m)
	case *fsm.SetOverride:
		c.kind(setOverrideKind)
		c.setOverride(m)
	case *fsm.DeleteOverride:
		c.kind(deleteOverrideKind)
		c.string(&m.Namespace)
		c.string(&m.Identifier)
	default:
		panic(fmt.Sprintf("codec: command of unknown type %T", m))
	}
}

// kind writes the kind of what follows. A reader has read it to know what follows.
func (c *coder) kind(k byte) {
	if !c.reading {
		c.byte(&k)
	}
}

func newCommand(kind byte) fsm.Command {
	switch kind {
	case bootstrapKind:
		return &fsm.Bootstrap{}
	case createWorkspaceKind:
		return &fsm.CreateWorkspace{}
	case createRootKeyKind:
		return &fsm.CreateRootKey{}
	case createAPIKind:
		return &fsm.CreateAPI{}
	case createKeyKind:
		return &fsm.CreateKey{}
	case updateKeyKind:
		return &fsm.UpdateKey{}
	case deleteKeyKind:
		return &fsm.DeleteKey{}
	case updateKeyCreditsKind:
		return &fsm.UpdateKeyCredits{}
	case updateIdentityCreditsKind:
		return &fsm.UpdateIdentityCredits{}
	case createIdentityKind:
		return &fsm.CreateIdentity{}
	case updateIdentityKind:
		return &fsm.UpdateIdentity{}
	case deleteIdentityKind:
		return &fsm.DeleteIdentity{}

	case deleteAPIKind:
		return &fsm.DeleteAPI{}
	case revokeRootKeyKind:
		return &fsm.RevokeRootKey{}
	case updateWorkspaceKind:
		return &fsm.UpdateWorkspace{}
	case rerollKeyKind:
		return &fsm.RerollKey{}
	case createMigrationKind:
		return &fsm.CreateMigration{}
	case migrateKeysKind:
		return &fsm.MigrateKeys{}
	case verifyMigratedKind:
		return &fsm.VerifyMigrated{}

	case verifyKeysKind:
		return &fsm.VerifyKeys{}

	case openSessionKind:
		return &fsm.OpenSession{}

	case createPermissionKind:
		return &fsm.CreatePermission{}
	case deletePermissionKind:
		return &fsm.DeletePermission{}
	case createRoleKind:
		return &fsm.CreateRole{}
	case deleteRoleKind:
		return &fsm.DeleteRole{}
	case setRolePermissionsKind:
		return &fsm.SetRolePermissions{}
	case linkKeyPermissionsKind:
		return &fsm.LinkKeyPermissions{}
	case linkKeyRolesKind:
		return &fsm.LinkKeyRoles{}

	case limitKind:
		return &fsm.Limit{}
	case setOverrideKind:
		return &fsm.SetOverride{}
	case deleteOverrideKind:
		return &fsm.DeleteOverride{}
	default:
		return nil
	}
}
