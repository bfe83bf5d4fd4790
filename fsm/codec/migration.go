package codec

import (
	"fmt"

	"github.com/creditd/creditd/fsm"
)

func (c *coder) rerollKey(m *fsm.RerollKey) {
	c.string(&m.KeyID)
	c.string(&m.NewID)
	c.hash(&m.Hash)
	c.string(&m.Start)
	c.int(&m.Expiration)
	c.strings(&m.RatelimitIDs)
}

func (c *coder) algorithm(p *fsm.Algorithm) { enum(c, p, fsm.SHA256, fsm.PrefixedAPIKey) }

func (c *coder) migrateKeys(m *fsm.MigrateKeys) {
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
	})
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
