package codec

import (
	"fmt"
	"slices"

	"github.com/creditd/creditd/fsm"
)

// batchVersion is the first byte of every batch.
const batchVersion = 1

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

// AppendBatch appends the encoding of b to buf. An actor that sends many calls is written once, and the bound on outcomes only where a
// call will have one that is kept.
func AppendBatch(buf []byte, b fsm.Batch) []byte {
	c := coder{buf: buf}
	version := byte(batchVersion)
	c.byte(&version)
	c.int(&b.Stamp)
	actors, index := actorsOf(b.Calls)
	c.length(len(actors))
	for i := range actors {
		c.hash(&actors[i])
	}
	sessions := sessionsOf(b.Calls)
	c.length(len(sessions))
	for i := range sessions {
		c.uint(&sessions[i].id)
		c.uint(&sessions[i].below)
	}
	c.length(len(b.Calls))
	for i := range b.Calls {
		var at uint64
		if index != nil {
			at = index[b.Calls[i].Actor]
		}
		c.uint(&at)
		sessions.write(&c, b.Calls[i].Ticket)
		c.once(&b.Calls[i].Once)
		c.call(&b.Calls[i], nil)
	}
	if c.named {
		c.uint(&b.MaxOutcomes)
	}
	return seal(c.buf, len(buf))
}

// actorsOf lists the different actors of calls in order of appearance; the index is nil when there is only one.
func actorsOf(calls []fsm.Call) ([]fsm.Hash, map[fsm.Hash]uint64) {
	if len(calls) == 0 {
		return nil, nil
	}
	actors := []fsm.Hash{calls[0].Actor}
	var index map[fsm.Hash]uint64
	for i := 1; i < len(calls); i++ {
		if calls[i].Actor == calls[i-1].Actor {
			continue
		}
		if index == nil {
			index = map[fsm.Hash]uint64{actors[0]: 0}
		}
		if _, ok := index[calls[i].Actor]; !ok {
			index[calls[i].Actor] = uint64(len(actors))
			actors = append(actors, calls[i].Actor)
		}
	}
	return actors, index
}

// DecodeBatch is the inverse of AppendBatch. The batch keeps no reference to data.
func DecodeBatch(data []byte) (fsm.Batch, error) {
	body, err := unseal(data)
	if err != nil {
		return fsm.Batch{}, fmt.Errorf("decode batch: %w", err)
	}
	b, err := decodeBatch(body)
	if err != nil {
		return fsm.Batch{}, fmt.Errorf("decode batch: %w", err)
	}
	return b, nil
}

func decodeBatch(body []byte) (b fsm.Batch, err error) {
	c := coder{buf: body, reading: true}
	var version byte
	if c.byte(&version); version != batchVersion {
		return b, fmt.Errorf("version is %d, this build reads %d", version, batchVersion)
	}
	c.int(&b.Stamp)
	if b.Stamp < 0 {
		return b, fmt.Errorf("stamp is negative")
	}
	n := c.length(0)
	if n > len(c.buf)/len(fsm.Hash{}) {
		return b, errShort
	}
	actors := make([]fsm.Hash, n)
	for i := range actors {
		c.hash(&actors[i])
	}
	if repeated(actors) {
		return b, fmt.Errorf("an actor is listed twice")
	}
	sessions := make(sessionTable, c.length(0))
	for i := range sessions {
		c.uint(&sessions[i].id)
		c.uint(&sessions[i].below)
	}
	if c.err == nil && sessions.malformed() {
		return b, fmt.Errorf("a session is listed twice or has no id")
	}
	seen := uint64(0)
	b.Calls = make([]fsm.Call, c.length(0))
	var verifications slab
	for i := range b.Calls {
		var at uint64
		if c.uint(&at); c.err != nil {
			break
		}
		if at > seen || at >= uint64(len(actors)) {
			return b, fmt.Errorf("call %d names actor %d of %d, of which %d had their turn", i, at, len(actors), seen)
		}
		seen = max(seen, at+1)
		b.Calls[i].Actor = actors[at]
		b.Calls[i].Ticket = sessions.read(&c)
		c.once(&b.Calls[i].Once)
		if c.call(&b.Calls[i], &verifications); c.err != nil {
			return b, fmt.Errorf("call %d: %w", i, c.err)
		}
	}
	if c.named {
		c.uint(&b.MaxOutcomes)
	}
	if err := c.finish(); err != nil {
		return b, err
	}
	if seen != uint64(len(actors)) {
		return b, fmt.Errorf("%d of %d actors are not used", uint64(len(actors))-seen, len(actors))
	}
	if !slices.Equal(sessions, sessionsOf(b.Calls)) {
		return b, fmt.Errorf("the table of sessions is not the one that the calls need")
	}
	return b, nil
}

func repeated(actors []fsm.Hash) bool {
	if len(actors) < 2 {
		return false
	}
	different := make(map[fsm.Hash]struct{}, len(actors))
	for _, a := range actors {
		different[a] = struct{}{}
	}
	return len(different) < len(actors)
}

// slab hands out verifications from larger allocations: batches consist mostly of them.
type slab struct{ free []fsm.VerifyKey }

func (s *slab) next() *fsm.VerifyKey {
	if len(s.free) == 0 {
		s.free = make([]fsm.VerifyKey, 64)
	}
	v := &s.free[0]
	s.free = s.free[1:]
	return v
}

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
		c.uint(&m.ID)
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

func (c *coder) slugRef(m *fsm.SlugRef) {
	c.string(&m.Slug)
	c.string(&m.ID)
}

func (c *coder) bootstrap(m *fsm.Bootstrap) {
	c.string(&m.ClusterID)
	c.string(&m.WorkspaceID)
	c.string(&m.WorkspaceName)
	c.string(&m.RootKeyID)
	c.hash(&m.RootKeyHash)
}

func (c *coder) createRootKey(m *fsm.CreateRootKey) {
	c.string(&m.ID)
	c.hash(&m.Hash)
	c.string(&m.Name)
	c.string(&m.WorkspaceID)
	c.strings(&m.Permissions)
	c.int(&m.Expires)
}

func (c *coder) createKey(m *fsm.CreateKey) {
	c.string(&m.ID)
	c.hash(&m.Hash)
	c.string(&m.Start)
	c.string(&m.APIID)
	c.string(&m.Name)
	c.string(&m.ExternalID)
	c.string(&m.IdentityID)
	c.string(&m.Meta)
	c.int(&m.Expires)
	c.bool(&m.Enabled)
	c.bool(&m.Recoverable)
	c.newCredits(&m.Credits)
	list(c, &m.Permissions, c.slugRef)
	c.strings(&m.Roles)
	c.ratelimits(&m.Ratelimits)
}

func (c *coder) updateKey(m *fsm.UpdateKey) {
	c.string(&m.KeyID)
	field(c, &m.Name, c.string)
	field(c, &m.ExternalID, c.string)
	c.string(&m.IdentityID)
	field(c, &m.Meta, c.string)
	field(c, &m.Expires, c.int)
	field(c, &m.Enabled, c.bool)
	c.creditsChange(&m.Credits)
	field(c, &m.Permissions, func(p *[]fsm.SlugRef) { list(c, p, c.slugRef) })
	field(c, &m.Roles, c.strings)
	field(c, &m.Ratelimits, c.ratelimits)
}

func (c *coder) createIdentity(m *fsm.CreateIdentity) {
	c.string(&m.ID)
	c.string(&m.ExternalID)
	c.string(&m.Meta)
	c.newCredits(&m.Credits)
	enum(c, &m.Policy, fsm.IdentityPays, fsm.BothPay)
	c.ratelimits(&m.Ratelimits)
}

func (c *coder) updateIdentity(m *fsm.UpdateIdentity) {
	c.string(&m.Identity)
	field(c, &m.Meta, c.string)
	c.creditsChange(&m.Credits)
	field(c, &m.Policy, func(p *fsm.Policy) { enum(c, p, fsm.IdentityPays, fsm.BothPay) })
	field(c, &m.Ratelimits, c.ratelimits)
}

func (c *coder) newCredits(m *fsm.NewCredits) {
	c.bool(&m.Limited)
	c.int(&m.Remaining)
	c.refill(&m.Refill)
}

func (c *coder) creditsChange(m *fsm.CreditsChange) {
	c.bool(&m.Unlimited)
	field(c, &m.Remaining, c.int)
	field(c, &m.Refill, c.refill)
}

func (c *coder) balanceChange(m *fsm.BalanceChange) {
	enum(c, &m.Op, fsm.SetBalance, fsm.Decrement)
	c.bool(&m.Limited)
	c.int(&m.Value)
}

func (c *coder) refill(m *fsm.Refill) {
	enum(c, &m.Interval, fsm.NoRefill, fsm.Monthly)
	if m.Interval == fsm.NoRefill {
		return
	}
	c.int(&m.Amount)
	enum(c, &m.Day, 0, 31)
}
