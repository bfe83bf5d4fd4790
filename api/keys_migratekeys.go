package api

import (
	"fmt"

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
	Permissions []permissionSlug        `json:"permissions" schema:"maxItems=1000"`
	Expires     schema.Optional[expiry] `json:"expires"`
	Enabled     bool                    `json:"enabled" schema:"default=true"`
	Credits     *credits                `json:"credits"`
	Ratelimits  []ratelimitConfig       `json:"ratelimits" schema:"maxItems=50"`
}

type migrateKeysData struct {
	Migrated []migratedOut      `json:"migrated"`
	Failed   []string           `json:"failed"`
	Failures []migrationFailure `json:"failures" doc:"The items of failed, with reasons."`
}

type migrationFailure struct {
	Hash   string `json:"hash"`
	Reason string `json:"reason" doc:"unfit, repeated, in_use or taken_over; unknown if an older ledger answered."`
}

// migrationReasons are the reasons of docs/contract.md 2.3.
var migrationReasons = [...]string{
	0: "unknown", fsm.HashUnfit: "unfit", fsm.HashRepeated: "repeated", fsm.HashInUse: "in_use", fsm.HashTakenOver: "taken_over",
}

type migratedOut struct {
	Hash  string `json:"hash"`
	KeyID string `json:"keyId"`
}

// migrateKeys is keys.migrateKeys, docs/contract.md 2.3.
func migrateKeys() *endpoint {
	return write("keys.migrateKeys", about{
		summary: "Migrate keys from another system, by their hashes",
		text: "The keys keep working for their owners. For `sha256` a hash is the standard base64 of the SHA-256 of the key. `failed` lists " +
			"hashes that a key already has or came with, and hashes of another form; `failures` says why. Identities, `permissions` and `roles` that the other keys name are " +
			"created if they are unknown.",
		needs:     []need{forOne(fsm.CreateKeyPermission)},
		needsNote: checkedFirst,
		example: `{"migrationId":"` + exampleMigration + `","apiId":"` + exampleAPI + `","keys":[{"hash":"` + exampleHash + `","name":"legacy",` +
			`"credits":{"remaining":100}}]}`,
		refuses: []fsm.RefusalCode{fsm.APINotFound, fsm.MigrationNotFound},
	}, func(c *call, req migrateKeysRequest) (migrateKeysData, error) {
		for i := range req.Keys {
			if err := c.checkKeyMeta(req.Keys[i].Meta, fmt.Sprintf("keys[%d].meta", i)); err != nil {
				return migrateKeysData{}, err
			}
		}
		return create(c, func() fsm.Command {
			command := &fsm.MigrateKeys{MigrationID: req.MigrationID, APIID: req.APIID, Keys: make([]fsm.MigratedKey, len(req.Keys))}
			for i := range req.Keys {
				command.Keys[i] = req.Keys[i].command()
			}
			return command
		}, req.show)
	})
}

// answerBytes: each item has its hash and the id of its key.
func (req *migrateKeysRequest) answerBytes() int64 { return 128 * int64(len(req.Keys)) }

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
		m.Permissions = permissionRefs(k.Permissions)
	}
	for _, name := range k.Roles {
		m.Roles = append(m.Roles, fsm.RoleRef{Name: string(name), ID: mint.ID(mint.Role)})
	}
	m.Ratelimits = newRatelimits(k.Ratelimits)
	return m
}

func (req *migrateKeysRequest) show(done *fsm.Migrated) migrateKeysData {
	data := migrateKeysData{Migrated: []migratedOut{}, Failed: []string{}, Failures: []migrationFailure{}}
	for i, id := range done.IDs {
		if hash := req.Keys[i].Hash; id == "" {
			var why fsm.MigrationFailure
			if i < len(done.Failures) {
				why = done.Failures[i]
			}
			data.Failed = append(data.Failed, hash)
			data.Failures = append(data.Failures, migrationFailure{hash, migrationReasons[why]})
		} else {
			data.Migrated = append(data.Migrated, migratedOut{Hash: hash, KeyID: id})
		}
	}
	return data
}
