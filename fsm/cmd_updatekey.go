package fsm

import "github.com/creditd/creditd/fsm/fields"

// UpdateKey changes fields of a key. An absent field keeps its value. See contract 2.3 and 4.5.
type UpdateKey struct {
	KeyID       string
	Name        Field[string]
	ExternalID  Field[string]
	IdentityID  string // id for the identity if ExternalID is new
	Meta        Field[string]
	Expires     Field[int64]
	Enabled     Field[bool]
	Credits     CreditsChange
	Permissions Field[[]PermissionRef]
	Roles       Field[[]string]    // names
	Ratelimits  Field[[]Ratelimit] // replaces the list
}

var updateKeyType = commandType{kind: 6, since: 1, event: KeyUpdated, create: create[UpdateKey]}

func (*UpdateKey) is() *commandType { return &updateKeyType }

func (c *UpdateKey) fields(v *fields.Visitor) {
	v.String(&c.KeyID)
	c.Name.visit(v, visitString)
	c.ExternalID.visit(v, visitString)
	v.String(&c.IdentityID)
	c.Meta.visit(v, visitString)
	c.Expires.visit(v, visitInt)
	c.Enabled.visit(v, visitBool)
	c.Credits.fields(v)
	c.Permissions.visit(v, visitPermissionRefs)
	c.Roles.visit(v, visitStrings)
	c.Ratelimits.visit(v, visitRatelimits)
}

func (c *UpdateKey) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	k, refusal := s.permittedKey(root, c.KeyID, UpdateKeyPermission)
	if refusal != nil {
		return nil, refusal
	}
	credit := k.shownCredit()
	if c.ExternalID.State != Absent {
		credit = k.credit // the new link ends that it is orphaned
	}
	if refusal := c.Credits.check(credit); refusal != nil {
		return nil, refusal
	}
	ratelimits := k.ratelimits()
	if c.Ratelimits.State != Absent {
		if ratelimits, refusal = checkRatelimits(c.Ratelimits.Value, ratelimits); refusal != nil {
			return nil, refusal
		}
	}
	roles, refusal := s.findRoles(root, c.Roles.Value)
	if refusal != nil {
		return nil, refusal
	}
	var owner identityLink
	if c.ExternalID.State == Given {
		if owner, refusal = s.planLink(root, c.ExternalID.Value, c.IdentityID); refusal != nil {
			return nil, refusal
		}
	}
	permissions := s.planPermissions(root, c.Permissions.Value)
	if refusal := s.checkPermissionIDs(permissions); refusal != nil {
		return nil, refusal
	}
	given := k.access()
	if c.Permissions.State != Absent {
		given.permissions = permissions.list()
	}
	if c.Roles.State != Absent {
		given.roles = roles
	}
	if refusal := s.boundKey(k.access(), given); refusal != nil {
		return nil, refusal
	}
	if refusal := root.workspace.room(Usage{IdentitiesQuota: owner.adds(), PermissionsQuota: permissions.adds()}); refusal != nil {
		return nil, refusal
	}
	return func() Result {
		s.createPlanned(permissions)
		s.beforeChange(k)
		if c.ExternalID.State != Absent {
			s.relink(k, s.link(owner))
		}
		k.setDetails(keyInfo{name: c.Name.over(k.name()), meta: c.Meta.over(k.meta())}, ratelimits)
		s.exchange(k, given)
		switch c.Expires.State {
		case Null:
			k.expires = Never
		case Given:
			k.expires = c.Expires.Value
		}
		if c.Enabled.State == Given {
			k.enabled = c.Enabled.Value
		}
		k.updatedAt = s.clock
		s.afterChange(k)
		if c.Credits != (CreditsChange{}) {
			if c.Credits.gives() {
				s.decideOwn(k, c.Credits.unlimited())
			}
			s.changeCredits(k.ownCredit(), c.Credits)
		}
		return done
	}, nil
}
