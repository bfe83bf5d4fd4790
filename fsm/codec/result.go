package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

// resultVersion is the first byte of every result.
const resultVersion = 1

// The result kinds. Their numbers travel between nodes: append only.
const (
	doneKind byte = iota + 1
	createdKind
	refusalKind
	creditsKind
	apiKind
	identityKind
	keyKind
	verdictKind

	openedKind byte = 70
)

const (
	keysKind byte = iota + 20
	identitiesKind
	rootKeysKind
	workspacesKind
	startKind
	migratedKind
)

// The result kinds about permissions and roles.
const (
	permissionKind byte = iota + 30
	roleKind
	permissionListKind
	roleListKind
)

// AppendResult appends the encoding of r to buf.
func AppendResult(buf []byte, r fsm.Result) []byte {
	c := coder{buf: buf}
	version := byte(resultVersion)
	c.byte(&version)
	c.result(&r)
	return seal(c.buf, len(buf))
}

// DecodeResult is the inverse of AppendResult. The result keeps no reference to data.
func DecodeResult(data []byte) (fsm.Result, error) {
	body, err := unseal(data)
	if err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	c := coder{buf: body, reading: true}
	var version byte
	if c.byte(&version); version != resultVersion {
		return nil, fmt.Errorf("decode result: version is %d, this build reads %d", version, resultVersion)
	}
	var r fsm.Result
	c.result(&r)
	if err := c.finish(); err != nil {
		return nil, fmt.Errorf("decode result: %w", err)
	}
	return r, nil
}

func (c *coder) result(p *fsm.Result) {
	if c.reading {
		var kind byte
		c.byte(&kind)
		if *p = newResult(kind); *p == nil {
			c.fail(fmt.Errorf("result of unknown kind %d", kind))
			return
		}
	}
	switch m := (*p).(type) {
	case *fsm.Verdict:
		c.kind(verdictKind)
		c.verdict(m)
	case *fsm.Rerolled:
		c.kind(rerolledKind)
		c.string(&m.ID)
		c.string(&m.Start)
	case *fsm.Opened:
		c.kind(openedKind)
		c.uint(&m.Session)
	case *fsm.Repeated:
		c.kind(repeatedKind)
		c.repeated(m)
	case *fsm.Verdicts:
		c.kind(verdictsKind)
		c.verdicts(m)
	case *fsm.Done:
		c.kind(doneKind)
	case *fsm.Created:
		c.kind(createdKind)
		c.string(&m.ID)
	case *fsm.Refusal:
		c.kind(refusalKind)
		known(c, &m.Code)
		c.string(&m.Detail)
		c.strings(&m.Accepted)
		c.int(&m.RetryAfter)
	case *fsm.Credits:
		c.kind(creditsKind)
		c.credits(m)
	case *fsm.API:
		c.kind(apiKind)
		c.string(&m.ID)
		c.string(&m.Name)
	case *fsm.Identity:
		c.kind(identityKind)
		c.identity(m)
	case *fsm.Key:
		c.kind(keyKind)
		c.key(m)

	case *fsm.Keys:
		c.kind(keysKind)
		list(c, &m.List, c.key)
		c.string(&m.Next)
	case *fsm.Identities:
		c.kind(identitiesKind)
		list(c, &m.List, c.identity)
		c.string(&m.Next)
	case *fsm.RootKeys:
		c.kind(rootKeysKind)
		list(c, &m.List, c.rootKey)
		c.string(&m.Next)
	case *fsm.Workspaces:
		c.kind(workspacesKind)
		list(c, &m.List, c.workspace)
		c.string(&m.Next)
	case *fsm.Start:
		c.kind(startKind)
		c.string(&m.Text)
		c.int(&m.Ratelimits)
	case *fsm.Migrated:
		c.kind(migratedKind)
		c.strings(&m.IDs)

	case *fsm.Permission:
		c.kind(permissionKind)
		c.permission(m)
	case *fsm.Role:
		c.kind(roleKind)
		c.role(m)
	case *fsm.PermissionList:
		c.kind(permissionListKind)
		list(c, &m.Permissions, c.permission)
		c.string(&m.Next)
	case *fsm.RoleList:
		c.kind(roleListKind)
		list(c, &m.Roles, c.role)
		c.string(&m.Next)

	case *fsm.Limited:
		c.kind(limitedKind)
		c.limited(m)
	case *fsm.Override:
		c.kind(overrideKind)
		c.override(m)
	case *fsm.Overrides:
		c.kind(overridesKind)
		list(c, &m.List, c.override)
		c.string(&m.Next)

	case *fsm.AuditEntries:
		c.kind(auditEntriesKind)
		list(c, &m.List, c.auditEntry)
		c.string(&m.Next)
	default:
		panic(fmt.Sprintf("codec: result of unknown type %T", m))
	}
}

func newResult(kind byte) fsm.Result {
	switch kind {
	case doneKind:
		return &fsm.Done{}
	case createdKind:
		return &fsm.Created{}
	case refusalKind:
		return &fsm.Refusal{}
	case creditsKind:
		return &fsm.Credits{}
	case apiKind:
		return &fsm.API{}
	case identityKind:
		return &fsm.Identity{}
	case keyKind:
		return &fsm.Key{}
	case verdictKind:
		return &fsm.Verdict{}
	case rerolledKind:
		return &fsm.Rerolled{}
	case openedKind:
		return &fsm.Opened{}
	case repeatedKind:
		return &fsm.Repeated{}
	case verdictsKind:
		return &fsm.Verdicts{}

	case keysKind:
		return &fsm.Keys{}
	case identitiesKind:
		return &fsm.Identities{}
	case rootKeysKind:
		return &fsm.RootKeys{}
	case workspacesKind:
		return &fsm.Workspaces{}
	case startKind:
		return &fsm.Start{}
	case migratedKind:
		return &fsm.Migrated{}

	case permissionKind:
		return &fsm.Permission{}
	case roleKind:
		return &fsm.Role{}
	case permissionListKind:
		return &fsm.PermissionList{}
	case roleListKind:
		return &fsm.RoleList{}

	case limitedKind:
		return &fsm.Limited{}
	case overrideKind:
		return &fsm.Override{}
	case overridesKind:
		return &fsm.Overrides{}

	case auditEntriesKind:
		return &fsm.AuditEntries{}
	default:
		return nil
	}
}

func (c *coder) verdict(m *fsm.Verdict) {
	known(c, &m.Outcome)
	c.bool(&m.Enabled)
	c.bool(&m.Limited)
	c.int(&m.Credits)
	c.int(&m.Expires)
	c.string(&m.KeyID)
	c.string(&m.Name)
	c.string(&m.Meta)
	if optional(c, &m.Identity) {
		c.string(&m.Identity.ID)
		c.string(&m.Identity.ExternalID)
		c.string(&m.Identity.Meta)
		c.ratelimits(&m.Identity.Ratelimits)
	}
	if optional(c, &m.Access) {
		c.strings(&m.Access.Permissions)
		c.strings(&m.Access.Roles)
	}
	c.ratelimitStates(&m.Ratelimits)
}

func (c *coder) permission(m *fsm.Permission) {
	c.string(&m.ID)
	c.string(&m.Name)
	c.string(&m.Slug)
	c.string(&m.Description)
}

func (c *coder) role(m *fsm.Role) {
	c.string(&m.ID)
	c.string(&m.Name)
	c.string(&m.Description)
	list(c, &m.Permissions, c.permission)
}

func (c *coder) credits(m *fsm.Credits) {
	c.bool(&m.Limited)
	c.int(&m.Remaining)
	c.refill(&m.Refill)
}

func (c *coder) identity(m *fsm.Identity) {
	c.string(&m.ID)
	c.string(&m.ExternalID)
	c.string(&m.Meta)
	c.credits(&m.Credits)
	enum(c, &m.Policy, fsm.IdentityPays, fsm.BothPay)
	c.ratelimits(&m.Ratelimits)
}

func (c *coder) key(m *fsm.Key) {
	c.string(&m.ID)
	c.string(&m.Start)
	c.string(&m.Name)
	c.string(&m.Meta)
	c.bool(&m.Enabled)
	c.int(&m.CreatedAt)
	c.int(&m.UpdatedAt)
	c.int(&m.LastUsedAt)
	c.int(&m.Expires)
	c.credits(&m.Credits)
	if optional(c, &m.Identity) {
		c.identity(m.Identity)
	}
	c.strings(&m.Permissions)
	c.strings(&m.Roles)
	c.ratelimits(&m.Ratelimits)
}

// optional codes whether *p is there, makes it when reading, and reports whether its fields follow.
func optional[T any](c *coder, p **T) bool {
	there := *p != nil
	c.bool(&there)
	if c.reading && there {
		*p = new(T)
	}
	return there
}
