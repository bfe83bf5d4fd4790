package fsm

import "github.com/creditd/creditd/fsm/fields"

// CreateKey adds a key to an API. See contract 2.3.
type CreateKey struct {
	ID          string
	Hash        Hash
	Start       string
	APIID       string
	Name        string
	ExternalID  string // empty: no identity
	IdentityID  string // id for the identity if ExternalID is new
	Meta        string // compact JSON object, or empty
	Expires     int64  // Unix ms, or Never
	Enabled     bool
	Recoverable bool
	Credits     NewCredits
	Permissions []PermissionRef
	Roles       []string // names
	Ratelimits  []Ratelimit
	Nonce       ShortHash // since ledger version 3: see Created
}

var createKeyType = commandType{kind: 5, since: 1, newest: 3, event: KeyCreated, create: create[CreateKey]}

func (*CreateKey) is() *commandType { return &createKeyType }

func (c *CreateKey) fields(v *fields.Visitor) {
	v.String(&c.ID)
	c.Hash.fields(v)
	v.String(&c.Start)
	v.String(&c.APIID)
	v.String(&c.Name)
	v.String(&c.ExternalID)
	v.String(&c.IdentityID)
	v.String(&c.Meta)
	v.Int(&c.Expires)
	v.Bool(&c.Enabled)
	v.Bool(&c.Recoverable)
	c.Credits.fields(v)
	fields.List(v, &c.Permissions, (*PermissionRef).fields)
	v.Strings(&c.Roles)
	visitRatelimits(&c.Ratelimits, v)
	visitNonce(&c.Nonce, v)
}

func (c *CreateKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	a := s.findAPI(root, c.APIID)
	if a == nil || !root.may(CreateKeyPermission, a.id) {
		return nil, refuse(APINotFound)
	}
	if c.Recoverable {
		if !root.may(EncryptKeyPermission, a.id) {
			return nil, refuse(APINotFound)
		}
		return nil, encryptionOff()
	}
	credits, refusal := c.Credits.check()
	if refusal != nil {
		return nil, refusal
	}
	ratelimits, refusal := checkRatelimits(c.Ratelimits, nil)
	if refusal != nil {
		return nil, refusal
	}
	roles, refusal := s.findRoles(root, c.Roles)
	if refusal != nil {
		return nil, refusal
	}
	if s.keys.find(c.ID) != nil || s.hashTaken(c.Hash) {
		return nil, refuse(IDTaken)
	}
	owner, refusal := s.planLink(root, c.ExternalID, c.IdentityID)
	if refusal != nil {
		return nil, refusal
	}
	permissions := s.planPermissions(root, c.Permissions)
	if refusal := s.checkPermissionIDs(permissions); refusal != nil {
		return nil, refusal
	}
	given := keyAccess{permissions: permissions.list(), roles: roles}
	if refusal := s.boundKey(keyAccess{}, given); refusal != nil {
		return nil, refusal
	}
	if refusal := root.workspace.room(Usage{KeysQuota: 1, IdentitiesQuota: owner.adds(), PermissionsQuota: permissions.adds()}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.createPlanned(permissions)
		k := &key{
			id: c.ID, hash: c.Hash, start: c.Start, api: a, identity: s.link(owner),
			createdAt: s.clock, expires: c.Expires, enabled: c.Enabled,
		}
		k.setDetails(keyInfo{name: c.Name, meta: c.Meta}, ratelimits)
		k.give(given.permissions, given.roles)
		s.addKey(k)
		if credits.Limited {
			s.makeLimited(k.ownCredit(), credits.Remaining, credits.Refill)
		}
		return &Created{ID: k.id, Nonce: c.Nonce}
	}, nil
}
