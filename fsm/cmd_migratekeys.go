package fsm

import (
	"errors"
	"fmt"
	"slices"

	"github.com/creditd/creditd/fsm/fields"
)

// MigrateKeys adds keys that are known only by hash. See contract 2.3.
type MigrateKeys struct {
	MigrationID string
	APIID       string
	Keys        []MigratedKey
}

// MigratedKey is one key of a MigrateKeys.
type MigratedKey struct {
	ID         string
	Hash       Hash
	Form       Algorithm // the algorithm that the form of the hash suggests; 0: none
	Name       string
	ExternalID string // empty: no identity
	IdentityID string // id for the identity if ExternalID is new
	Meta       string
	Expires    int64 // Unix ms, or Never
	Enabled    bool
	Credits    NewCredits
	MigratedAccess
}

// MigratedAccess holds fields that most migrated keys do not have.
type MigratedAccess struct {
	Permissions []PermissionRef
	Roles       []RoleRef
	Ratelimits  []Ratelimit
}

// Empty reports whether no field is set.
func (a *MigratedAccess) Empty() bool { return len(a.Permissions)+len(a.Roles)+len(a.Ratelimits) == 0 }

var (
	migrateKeysType         = commandType{kind: 25, since: 1, event: KeysMigrated, create: create[MigrateKeys]}
	migrateKeysExtendedType = commandType{kind: 92, since: 1, event: KeysMigrated, create: create[MigrateKeys]} // has keys with a MigratedAccess
)

func (c *MigrateKeys) is() *commandType {
	if c.extended() {
		return &migrateKeysExtendedType
	}
	return &migrateKeysType
}

func (c *MigrateKeys) extended() bool {
	return slices.ContainsFunc(c.Keys, func(k MigratedKey) bool { return !k.Empty() })
}

func (c *MigrateKeys) fields(v *fields.Visitor) {
	v.String(&c.MigrationID)
	v.String(&c.APIID)
	fields.List(v, &c.Keys, (*MigratedKey).fields)
	if v.Err() == nil && v.Kind == migrateKeysExtendedType.kind && !c.extended() {
		v.Fail(errors.New("no key has what the kind of the command announces"))
	}
}

func (k *MigratedKey) fields(v *fields.Visitor) {
	v.String(&k.ID)
	k.Hash.fields(v)
	fields.Enum(v, &k.Form, 0, PrefixedAPIKey)
	v.String(&k.Name)
	v.String(&k.ExternalID)
	v.String(&k.IdentityID)
	v.String(&k.Meta)
	v.Int(&k.Expires)
	v.Bool(&k.Enabled)
	k.Credits.fields(v)
	if v.Kind == migrateKeysExtendedType.kind {
		fields.List(v, &k.Permissions, (*PermissionRef).fields)
		fields.List(v, &k.Roles, (*RoleRef).fields)
		visitRatelimits(&k.Ratelimits, v)
	}
}

// Broken reports whether a key breaks a rule whatever the ledger holds. Then the whole command is refused.
func (k *MigratedKey) Broken() bool {
	_, wrong := k.Credits.check()
	_, bad := checkRatelimits(k.Ratelimits, nil)
	return wrong != nil || bad != nil
}

// plannedKey is what becomes of one key of a MigrateKeys. A key that cannot be added is nil.
type plannedKey struct {
	key     *key
	failure MigrationFailure // why there is none
	credits NewCredits
	owner   identityLink
}

// plan decides about every key. The keys that can be added are added. See contract 2.3.
func (c *MigrateKeys) plan(s *State, root *rootKey) (execute func() Result, refusal *Refusal) {
	if !root.may(CreateKeyPermission, c.APIID) {
		return nil, CreateKeyPermission.missing(c.APIID)
	}
	a := s.findAPI(root, c.APIID)
	if a == nil {
		return nil, refuse(APINotFound)
	}
	m := s.migrations[migrationRef{root.workspace.id, c.MigrationID}]
	if m == nil {
		return nil, refuse(MigrationNotFound)
	}
	planned, made, refusal := s.planMigration(root, a, m, c.Keys)
	if refusal != nil {
		return nil, refusal
	}
	return func() Result {
		for _, p := range made.createPermissions {
			s.addPermission(p)
		}
		for _, r := range made.createRoles {
			s.addRole(r)
		}
		answer := &Migrated{IDs: make([]string, len(planned))}
		for n, p := range planned {
			if p.key == nil {
				if s.version >= secondRules {
					answer.fail(n, p.failure)
				}
				continue
			}
			p.key.identity = p.owner.existing
			if i := p.owner.create; i != nil {
				if s.identities.find(i.id) == nil { // otherwise an earlier key of the command created it
					s.addIdentity(i)
				}
				p.key.identity = i
			}
			s.addKey(p.key)
			if p.credits.Limited {
				s.makeLimited(p.key.ownCredit(), p.credits.Remaining, p.credits.Refill)
			}
			answer.IDs[n] = p.key.id
		}
		return answer
	}, nil
}

// planMigration runs all checks and changes nothing.
func (s *State) planMigration(root *rootKey, a *api, m *migration, keys []MigratedKey) ([]plannedKey, *accessPlan, *Refusal) {
	planned := make([]plannedKey, len(keys))
	ratelimits := make([][]Ratelimit, len(keys))
	for n := range keys {
		var refusal *Refusal
		if planned[n].credits, refusal = keys[n].Credits.check(); refusal != nil {
			return nil, nil, refusal
		}
		if ratelimits[n], refusal = checkRatelimits(keys[n].Ratelimits, nil); refusal != nil {
			return nil, nil, refusal
		}
	}
	access := newAccessPlan(root.workspace, s.clock)
	ids, identityIDs, hashes := map[string]bool{}, map[string]bool{}, map[Hash]bool{}
	owners := map[string]identityLink{}
	for n := range keys {
		c := &keys[n]
		if planned[n].failure = s.migrationFailure(m, c, hashes); planned[n].failure != 0 {
			continue
		}
		owner, known := owners[c.ExternalID]
		if !known {
			var refusal *Refusal
			if owner, refusal = s.planLink(root, c.ExternalID, c.IdentityID); refusal != nil {
				return nil, nil, refusal
			}
			if owner.create != nil && identityIDs[c.IdentityID] {
				return nil, nil, refuse(IDTaken)
			}
			owners[c.ExternalID] = owner
			if owner.create != nil {
				identityIDs[c.IdentityID] = true
			}
		}
		if ids[c.ID] || s.keys.find(c.ID) != nil {
			return nil, nil, refuse(IDTaken)
		}
		permissions, roles, refusal := access.resolve(&s.access, c.Permissions, c.Roles)
		if refusal != nil {
			return nil, nil, refusal
		}
		if refusal := s.boundKey(keyAccess{}, keyAccess{permissions, roles}); refusal != nil {
			refusal.Detail = fmt.Sprintf("keys[%d]: %s", n, refusal.Detail)
			return nil, nil, refusal
		}
		ids[c.ID], hashes[c.Hash] = true, true
		k := &key{id: c.ID, hash: c.Hash, api: a, createdAt: s.clock, expires: c.Expires, enabled: c.Enabled}
		k.setDetails(keyInfo{name: c.Name, meta: c.Meta}, ratelimits[n])
		k.give(permissions, roles)
		planned[n].key, planned[n].owner = k, owner
	}
	refusal := root.workspace.room(Usage{
		KeysQuota: int64(len(ids)), IdentitiesQuota: int64(len(identityIDs)),
		PermissionsQuota: int64(len(access.createPermissions)), RolesQuota: int64(len(access.createRoles)),
	})
	return planned, access, refusal
}

// migrationFailure says why a key cannot be added; 0: it can. seen are the hashes of the keys before it. Of a foreign key nobody learns more
// than that it has the hash.
func (s *State) migrationFailure(m *migration, c *MigratedKey, seen map[Hash]bool) MigrationFailure {
	switch {
	case c.Form != m.algorithm:
		return HashUnfit
	case seen[c.Hash]:
		return HashRepeated
	case s.hashTaken(c.Hash):
		return HashInUse
	case s.version >= secondRules && taken(s.former.find(formerRef{m.workspace, c.Hash})):
		return HashTakenOver
	}
	return 0
}
