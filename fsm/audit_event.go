package fsm

import "strconv"

// Event is what an audited command does. The numbers are on disk: append only.
type Event uint8

// The events. A command with Unaudited writes no entry.
const (
	Unaudited Event = iota
	WorkspaceCreated
	WorkspaceUpdated
	RootKeyCreated
	RootKeyRevoked
	APICreated
	APIDeleted
	KeyCreated
	KeyUpdated
	KeyDeleted
	KeyRerolled
	KeysMigrated
	KeyCreditsUpdated
	KeyPermissionsUpdated
	KeyRolesUpdated
	IdentityCreated
	IdentityUpdated
	IdentityDeleted
	IdentityCreditsUpdated
	PermissionCreated
	PermissionDeleted
	RoleCreated
	RoleUpdated
	RoleDeleted
	MigrationCreated
	NamespaceCreated
	OverrideSet
	OverrideDeleted
	RecordsImported // since ledger version 4
	ImportEnded     // since ledger version 5
)

var eventNames = [...]string{
	WorkspaceCreated: "workspace.create", WorkspaceUpdated: "workspace.update",
	RootKeyCreated: "rootKey.create", RootKeyRevoked: "rootKey.revoke",
	APICreated: "api.create", APIDeleted: "api.delete",
	KeyCreated: "key.create", KeyUpdated: "key.update", KeyDeleted: "key.delete", KeyRerolled: "key.reroll", KeysMigrated: "key.migrate",
	KeyCreditsUpdated: "key.credits.update", KeyPermissionsUpdated: "key.permissions.update", KeyRolesUpdated: "key.roles.update",
	IdentityCreated: "identity.create", IdentityUpdated: "identity.update", IdentityDeleted: "identity.delete",
	IdentityCreditsUpdated: "identity.credits.update",
	PermissionCreated:      "permission.create", PermissionDeleted: "permission.delete",
	RoleCreated: "role.create", RoleUpdated: "role.update", RoleDeleted: "role.delete",
	MigrationCreated: "migration.create",
	NamespaceCreated: "ratelimit.namespace.create",
	OverrideSet:      "ratelimit.override.set", OverrideDeleted: "ratelimit.override.delete",
	RecordsImported: "records.import", ImportEnded: "records.finishImport",
}

// Known reports whether an audit entry can have the event.
func (e Event) Known() bool { return e > Unaudited && int(e) < len(eventNames) }

func (e Event) String() string {
	if !e.Known() {
		return "event " + strconv.Itoa(int(e))
	}
	return eventNames[e]
}

// EventNames returns the names of all events, in a fixed order.
func EventNames() []string { return append([]string(nil), eventNames[WorkspaceCreated:]...) }
