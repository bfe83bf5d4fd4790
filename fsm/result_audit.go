package fsm

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/creditd/creditd/fsm/fields"
)

// AuditEntries is a page of audit entries.
type AuditEntries struct {
	List []AuditEntry
	Next string // where the next page begins; empty: there is none
}

var auditEntriesResultType = resultType{kind: 90, since: 1, create: createResult[AuditEntries]}

func (*AuditEntries) is() *resultType { return &auditEntriesResultType }

func (r *AuditEntries) fields(v *fields.Visitor) {
	fields.List(v, &r.List, (*AuditEntry).fields)
	v.String(&r.Next)
}

// AuditEntry is what audit.listEntries shows of one command. See contract 7.4.
type AuditEntry struct {
	Index     uint64 // of the log entry
	Time      int64  // log time, Unix ms
	Event     Event
	ActorID   string // of the root key, which may have been revoked
	ActorName string
	Origin    *Origin         // nil: the caller stated none
	Resources []AuditResource // by type and id, at most MaxAuditResources
	Omitted   int64           // number of further resources
	Balances  []AuditBalance  // of Resources, in their order
}

func (e *AuditEntry) fields(v *fields.Visitor) {
	v.Uint(&e.Index)
	v.Int(&e.Time)
	fields.Known(v, &e.Event)
	v.String(&e.ActorID)
	v.String(&e.ActorName)
	if fields.Optional(v, &e.Origin) {
		e.Origin.fields(v)
	}
	fields.List(v, &e.Resources, (*AuditResource).fields)
	v.Int(&e.Omitted)
	fields.List(v, &e.Balances, (*AuditBalance).fields)
}

// Origin is where a command came from, for its audit entry.
type Origin struct {
	RequestID  string
	RemoteAddr string // of the connection
	UserAgent  string
}

func (o *Origin) fields(v *fields.Visitor) {
	v.String(&o.RequestID)
	v.String(&o.RemoteAddr)
	v.String(&o.UserAgent)
}

// AuditResource is a thing that a command changed. Credits count as their owner.
type AuditResource struct {
	Type ResourceType
	ID   string
}

func (r *AuditResource) fields(v *fields.Visitor) {
	fields.Known(v, &r.Type)
	v.String(&r.ID)
}

// AuditBalance is the balance of a key or an identity before and after a command.
type AuditBalance struct {
	Owner         AuditResource
	Before, After Balance
}

func (b *AuditBalance) fields(v *fields.Visitor) {
	b.Owner.fields(v)
	b.Before.fields(v)
	b.After.fields(v)
}

// Balance is a balance in an audit entry. Limited false: the owner is unlimited, or was deleted.
type Balance struct {
	Limited   bool
	Remaining int64
}

func (b *Balance) fields(v *fields.Visitor) {
	v.Bool(&b.Limited)
	v.Int(&b.Remaining)
}

// ResourceType is the type of a resource. The numbers are on disk: append only.
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

func compareResources(a, b AuditResource) int {
	if c := cmp.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}
