package api

import (
	"fmt"
	"slices"
	"strconv"

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
	Reason string `json:"reason" doc:"unfit, repeated, in_use, taken_over or interrupted; unknown if an older ledger answered."`
}

// migrationReasons are the reasons of docs/contract.md 2.3.
var migrationReasons = [...]string{
	0: "unknown", fsm.HashUnfit: "unfit", fsm.HashRepeated: "repeated", fsm.HashInUse: "in_use", fsm.HashTakenOver: "taken_over",
	interrupted: "interrupted",
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
		done, err := migrateInParts(c, &req)
		return shown(done, err, req.show)
	})
}

// answerBytes: each item has its hash and the id of its key.
func (req *migrateKeysRequest) answerBytes() int64 { return 128 * int64(len(req.Keys)) }

// partWork is the work of one command of a migration: about 1 ms. A request may have 180,000 keys, and everybody waits for an entry.
const partWork fsm.Work = 10_000

// partsVersion is the ledger version from which every node knows that a request may have parts.
const partsVersion = 3

// migrateInParts adds the keys with one command after the other. What ends the request before its first command is an error, and adds nothing.
// Later, the keys that were not reached have failed [D-37].
func migrateInParts(c *call, req *migrateKeysRequest) (*fsm.Migrated, error) {
	keys := req.Keys
	if bad := req.broken(); bad >= 0 { // the ledger says so, after its checks of the caller
		keys = keys[bad : bad+1]
	}
	// A node of an earlier build would take the record of the first part for that of the request.
	inParts := c.api.node.LedgerVersion() >= partsVersion
	all, replayed, whole := &fsm.Migrated{}, true, c.key.hash.Key
	for at := 0; at < len(keys); {
		if at > 0 && c.key.text != "" {
			c.key.hash.Key = shortHash(whole[:], strconv.AppendInt(nil, int64(at), 10)) // a part has a record of its own
		}
		c.replayed = false
		part, err := executeNew[*fsm.Migrated](c, func() fsm.Command { return req.part(keys[at:], inParts) })
		if err != nil && (at == 0 || mayHaveExecuted(err)) {
			return nil, err
		}
		if err != nil {
			part = &fsm.Migrated{IDs: make([]string, len(keys)-at), Failures: slices.Repeat([]fsm.MigrationFailure{interrupted}, len(keys)-at)}
			c.replayed = false
		}
		all.IDs = append(all.IDs, part.IDs...)
		all.Failures = append(all.Failures, part.Failures...)
		if missing := len(all.IDs) - len(all.Failures); missing > 0 {
			all.Failures = append(all.Failures, make([]fsm.MigrationFailure, missing)...)
		}
		replayed = replayed && c.replayed
		at += len(part.IDs) // a replay of an earlier build may have them all
	}
	c.replayed = replayed
	req.findRepeated(all)
	return all, nil
}

// interrupted is the failure of the keys that a request did not reach. The ledger never gives it.
const interrupted = fsm.HashTakenOver + 1

// broken returns the first key whose fields break a rule whatever the ledger holds; -1: none does.
func (req *migrateKeysRequest) broken() int {
	return slices.IndexFunc(req.Keys, func(k migratedKey) bool {
		fields := fsm.MigratedKey{Credits: k.Credits.newCredits(), MigratedAccess: fsm.MigratedAccess{Ratelimits: newRatelimits(k.Ratelimits)}}
		return fields.Broken()
	})
}

// part is the next command: as many keys as one command may have, or all.
func (req *migrateKeysRequest) part(keys []migratedKey, inParts bool) *fsm.MigrateKeys {
	command := &fsm.MigrateKeys{MigrationID: req.MigrationID, APIID: req.APIID}
	work := fsm.Work(0)
	for i := range keys {
		k := keys[i].command()
		if work += k.Work(); inParts && work > partWork && i > 0 {
			break
		}
		command.Keys = append(command.Keys, k)
	}
	return command
}

// findRepeated tells the hashes that an earlier key of the request brought from those that were there before: each part knows its own only.
func (req *migrateKeysRequest) findRepeated(done *fsm.Migrated) {
	brought := make(map[string]bool)
	for i, id := range done.IDs {
		hash := req.Keys[i].Hash
		if id != "" {
			brought[hash] = true
		} else if done.Failures[i] == fsm.HashInUse && brought[hash] {
			done.Failures[i] = fsm.HashRepeated
		}
	}
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
