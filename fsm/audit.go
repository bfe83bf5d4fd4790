package fsm

import "strconv"

// Origin is where a command came from, for its audit entry. Nothing else depends on it.
type Origin struct {
	RequestID  string
	RemoteAddr string // of the connection
	UserAgent  string
}

// Event names what an audited command does. The numbers are on disk: append only.
type Event uint8

// The events. Unaudited is that of a command which leaves no entry.
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
}

// Known reports whether an entry can have the event.
func (e Event) Known() bool { return e > Unaudited && int(e) < len(eventNames) }

func (e Event) String() string {
	if !e.Known() {
		return "event " + strconv.Itoa(int(e))
	}
	return eventNames[e]
}

// EventNames returns the names of all events, in a fixed order.
func EventNames() []string { return append([]string(nil), eventNames[WorkspaceCreated:]...) }

// EventOf says which event a command is. Unaudited stands for verifications and tokens, which are counted instead, and for what nodes
// send for themselves. ok is false for a command that nobody has decided about.
func EventOf(c Command) (e Event, ok bool) {
	switch c := c.(type) {
	case *VerifyKey, *VerifyKeys, *VerifyMigrated, *Bootstrap, *OpenSession:
		return Unaudited, true
	case *Limit:
		if c.creates() {
			return NamespaceCreated, true
		}
		return Unaudited, true
	case *CreateWorkspace:
		return WorkspaceCreated, true
	case *UpdateWorkspace:
		return WorkspaceUpdated, true
	case *CreateRootKey:
		return RootKeyCreated, true
	case *RevokeRootKey:
		return RootKeyRevoked, true
	case *CreateAPI:
		return APICreated, true
	case *DeleteAPI:
		return APIDeleted, true
	case *CreateKey:
		return KeyCreated, true
	case *UpdateKey:
		return KeyUpdated, true
	case *DeleteKey:
		return KeyDeleted, true
	case *RerollKey:
		return KeyRerolled, true
	case *MigrateKeys:
		return KeysMigrated, true
	case *UpdateKeyCredits:
		return KeyCreditsUpdated, true
	case *LinkKeyPermissions:
		return KeyPermissionsUpdated, true
	case *LinkKeyRoles:
		return KeyRolesUpdated, true
	case *CreateIdentity:
		return IdentityCreated, true
	case *UpdateIdentity:
		return IdentityUpdated, true
	case *DeleteIdentity:
		return IdentityDeleted, true
	case *UpdateIdentityCredits:
		return IdentityCreditsUpdated, true
	case *CreatePermission:
		return PermissionCreated, true
	case *DeletePermission:
		return PermissionDeleted, true
	case *CreateRole:
		return RoleCreated, true
	case *SetRolePermissions:
		return RoleUpdated, true
	case *DeleteRole:
		return RoleDeleted, true
	case *CreateMigration:
		return MigrationCreated, true
	case *SetOverride:
		return OverrideSet, true
	case *DeleteOverride:
		return OverrideDeleted, true
	default:
		return Unaudited, false
	}
}

// ResourceType says what kind of thing a resource is. The numbers are on disk: append only.
type ResourceType uint8

// The types of resources.
const (
	WorkspaceResource ResourceType = iota + 1
	RootKeyResource
	APIResource
	MigrationResource
	PermissionResource
	RoleResource
	IdentityResource
	KeyResource
	NamespaceResource
	OverrideResource
)

var resourceNames = [...]string{
	WorkspaceResource: "workspace", RootKeyResource: "rootKey", APIResource: "api", MigrationResource: "migration",
	PermissionResource: "permission", RoleResource: "role", IdentityResource: "identity", KeyResource: "key",
	NamespaceResource: "ratelimitNamespace", OverrideResource: "ratelimitOverride",
}

// Known reports whether there is such a type.
func (t ResourceType) Known() bool { return t > 0 && int(t) < len(resourceNames) }

func (t ResourceType) String() string {
	if !t.Known() {
		return "resource " + strconv.Itoa(int(t))
	}
	return resourceNames[t]
}

// AuditResource is a thing that a command changed. Credits stand for their owner.
type AuditResource struct {
	Type ResourceType
	ID   string
}

// AuditBalance is what a command did to the credits of a key or an identity.
type AuditBalance struct {
	Owner         AuditResource
	Before, After Balance
}

// Balance is what credits hold. Limited false is unlimited, or of an owner that is gone.
type Balance struct {
	Limited   bool
	Remaining int64
}

// AuditEntry is what audit.listEntries shows of one command. See contract 7.4.
type AuditEntry struct {
	Index     uint64 // of the log entry
	Time      int64  // log time, Unix ms
	Event     Event
	ActorID   string // of the root key, which may be gone
	ActorName string
	Origin    *Origin         // nil: the caller stated none
	Resources []AuditResource // by type and id, at most MaxAuditResources
	Omitted   int64           // resources beyond those
	Balances  []AuditBalance  // of Resources, in their order
}

// AuditRecord is an audit entry at rest.
type AuditRecord struct {
	WorkspaceID string // of the actor
	Number      int64  // among the workspace's entries of the same time, from 0
	Entry       AuditEntry
}

// ListAudit asks for audit entries of the caller's workspace, the newest first. An empty ResourceID, ActorID or Event
// selects every one.
type ListAudit struct {
	ResourceID string
	ActorID    string
	Event      string // the name
	From       int64  // Unix ms, the first
	To         int64  // Unix ms, the first one that is too late, or Never
	Page       Page
}

// AuditEntries is a page of them.
type AuditEntries struct {
	List []AuditEntry
	Next string // where the next page begins; empty: there is none
}

func (r *AuditRecord) fold(h *hasher) {
	e := &r.Entry
	h.string(r.WorkspaceID)
	h.int(r.Number)
	h.word(e.Index)
	h.int(e.Time)
	h.int(int64(e.Event))
	h.string(e.ActorID)
	h.string(e.ActorName)
	h.bool(e.Origin != nil)
	if o := e.Origin; o != nil {
		h.string(o.RequestID)
		h.string(o.RemoteAddr)
		h.string(o.UserAgent)
	}
	h.int(int64(len(e.Resources)))
	for i := range e.Resources {
		e.Resources[i].fold(h)
	}
	h.int(e.Omitted)
	h.int(int64(len(e.Balances)))
	for i := range e.Balances {
		b := &e.Balances[i]
		b.Owner.fold(h)
		for _, c := range []Balance{b.Before, b.After} {
			h.bool(c.Limited)
			h.int(c.Remaining)
		}
	}
}

func (r AuditResource) fold(h *hasher) {
	h.int(int64(r.Type))
	h.string(r.ID)
}
