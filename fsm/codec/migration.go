package codec

import (
	"errors"
	"fmt"
	"slices"

	"github.com/creditd/creditd/fsm"
)

const rerolledKind byte = 82 // result

func (c *coder) rerollKey(m *fsm.RerollKey) {
	c.string(&m.KeyID)
	c.string(&m.NewID)
	c.hash(&m.Hash)
	c.string(&m.Start)
	c.int(&m.Expiration)
	c.strings(&m.RatelimitIDs)
}

func (c *coder) algorithm(p *fsm.Algorithm) { enum(c, p, fsm.SHA256, fsm.PrefixedAPIKey) }

// migrateKeysExtendedKind is the kind of a command with keys that have more than most do. The others keep their short form.
const migrateKeysExtendedKind byte = 92

// migrateKeys codes the command; extended: a reader found it to be of migrateKeysExtendedKind.
func (c *coder) migrateKeys(m *fsm.MigrateKeys, extended bool) {
	needed := func() bool {
		return slices.ContainsFunc(m.Keys, func(k fsm.MigratedKey) bool { return !k.Empty() })
	}
	if !c.reading {
		extended = needed()
	}
	if extended {
		c.kind(migrateKeysExtendedKind)
	} else {
		c.kind(migrateKeysKind)
	}
	c.string(&m.MigrationID)
	c.string(&m.APIID)
	list(c, &m.Keys, func(k *fsm.MigratedKey) {
		c.string(&k.ID)
		c.hash(&k.Hash)
		enum(c, &k.Form, 0, fsm.PrefixedAPIKey)
		c.string(&k.Name)
		c.string(&k.ExternalID)
		c.string(&k.IdentityID)
		c.string(&k.Meta)
		c.int(&k.Expires)
		c.bool(&k.Enabled)
		c.newCredits(&k.Credits)
		if extended {
			list(c, &k.Permissions, c.slugRef)
			list(c, &k.Roles, func(r *fsm.RoleRef) {
				c.string(&r.Name)
				c.string(&r.ID)
			})
			c.ratelimits(&k.Ratelimits)
		}
	})
	if extended && c.err == nil && !needed() {
		c.fail(errors.New("no key has what the kind of the command announces"))
	}
}

func (c *coder) verifyMigrated(m *fsm.VerifyMigrated) {
	var kind byte // of the verification: see verifyKey
	if c.reading {
		if c.byte(&kind); kind != verifyKeyKind && kind != verifyKeyExtendedKind {
			c.fail(fmt.Errorf("a migrated key is verified by a command of kind %d", kind))
			return
		}
	}
	c.verifyKey(&m.Verify, kind == verifyKeyExtendedKind)
	c.string(&m.MigrationID)
	c.hash(&m.Hash)
	c.string(&m.Start)
}

func (c *coder) migrationRecord(r *fsm.MigrationRecord) {
	c.string(&r.ID)
	c.string(&r.WorkspaceID)
	c.algorithm(&r.Algorithm)
	c.int(&r.CreatedAt)
}
