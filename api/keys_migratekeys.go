package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type migrateKeysRequest struct {
	MigrationID string        `json:"migrationId" schema:"required,minLength=3,maxLength=255"`
	APIID       string        `json:"apiId" schema:"required,minLength=3,maxLength=255"`
	Keys        []migratedKey `json:"keys" schema:"required,minItems=1"`
}

type migratedKey struct {
	Hash        string                  `json:"hash" schema:"required,minLength=3"`
	Name        string                  `json:"name" schema:"minLength=1,maxLength=255"`
	ExternalID  string                  `json:"externalId" schema:"minLength=1,maxLength=255"`
	Meta        meta                    `json:"meta" schema:"maxProperties=100"`
	Roles       []roleName              `json:"roles" schema:"maxItems=100"`
	Permissions []slug                  `json:"permissions" schema:"maxItems=1000"`
	Expires     schema.Optional[expiry] `json:"expires"`
	Enabled     bool                    `json:"enabled" schema:"default=true"`
	Credits     *credits                `json:"credits"`
	Ratelimits  []ratelimitConfig       `json:"ratelimits" schema:"maxItems=50"`
}

func (k *migratedKey) command() fsm.MigratedKey {
	form, hash := mint.ParseHash(k.Hash)
	m := fsm.MigratedKey{
		ID: mint.ID(mint.Key), Hash: hash, Form: form, Name: k.Name, ExternalID: k.ExternalID, Meta: keptMeta(k.Meta),
		Expires: expiresAt(k.Expires), Enabled: k.Enabled, Credits: k.Credits.newCredits(),
	}
	if m.ExternalID != "" {
		m.IdentityID = mint.ID(mint.Identity)
	}
	if len(k.Permissions) > 0 {
		m.Permissions = slugRefs(k.Permissions)
	}
	for _, name := range k.Roles {
		m.Roles = append(m.Roles, fsm.RoleRef{Name: string(name), ID: mint.ID(mint.Role)})
	}
	m.Ratelimits = newRatelimits(k.Ratelimits)
	return m
}

type migrateKeysData struct {
	Migrated []migratedOut `json:"migrated"`
	Failed   []string      `json:"failed"`
}

type migratedOut struct {
	Hash  string `json:"hash"`
	KeyID string `json:"keyId"`
}

// migrateKeys serves keys.migrateKeys, docs/contract.md 2.3.
func migrateKeys(c *call, req migrateKeysRequest) (any, error) {
	done, err := executeNew[*fsm.Migrated](c, func() fsm.Command {
		command := &fsm.MigrateKeys{MigrationID: req.MigrationID, APIID: req.APIID, Keys: make([]fsm.MigratedKey, len(req.Keys))}
		for i := range req.Keys {
			command.Keys[i] = req.Keys[i].command()
		}
		return command
	})
	if err != nil {
		return nil, err
	}
	data := migrateKeysData{Migrated: []migratedOut{}, Failed: []string{}}
	for i, id := range done.IDs {
		if hash := req.Keys[i].Hash; id == "" {
			data.Failed = append(data.Failed, hash)
		} else {
			data.Migrated = append(data.Migrated, migratedOut{Hash: hash, KeyID: id})
		}
	}
	return data, nil
}
