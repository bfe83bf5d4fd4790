package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type createKeyRequest struct {
	APIID       keyID                   `json:"apiId" schema:"required"`
	Prefix      string                  `json:"prefix" schema:"minLength=1,maxLength=16,pattern=^[a-zA-Z0-9_]+$"`
	Name        string                  `json:"name" schema:"minLength=1,maxLength=255"`
	ByteLength  int64                   `json:"byteLength" schema:"minimum=16,maximum=255,default=16"`
	ExternalID  externalID              `json:"externalId"`
	Meta        meta                    `json:"meta" schema:"maxProperties=100"`
	Roles       []roleName              `json:"roles" schema:"maxItems=100"`
	Permissions []permissionSlug        `json:"permissions" schema:"maxItems=1000"`
	Expires     schema.Optional[expiry] `json:"expires"`
	Credits     *credits                `json:"credits"`
	Ratelimits  []ratelimitConfig       `json:"ratelimits" schema:"maxItems=50"`
	Enabled     bool                    `json:"enabled" schema:"default=true"`
	Recoverable bool                    `json:"recoverable" schema:"default=false"`
}

// createKey is keys.createKey, docs/contract.md 2.3.
func createKey() *endpoint {
	return write("keys.createKey", about{
		summary: "Create a key, with a balance if you want one",
		text: "Only this answer shows the full key. `externalId` links the identity with that name, and creates it if the workspace has none. " +
			"Without `credits`, or with `remaining` null, the key is unlimited. Unknown `permissions` are created, unknown `roles` are not. " +
			"The call is all or nothing.",
		needs:     []need{forOne(fsm.CreateKeyPermission).silently()},
		needsNote: "Without it, the API is not found.",
		example: `{"apiId":"` + exampleAPI + `","prefix":"prod","name":"checkout","externalId":"` + exampleExternalID + `","meta":{"plan":"pro"},` +
			`"credits":{"remaining":1000,"refill":{"interval":"monthly","amount":1000,"refillDay":1}}}`,
		refuses:       []fsm.RefusalCode{fsm.APINotFound, fsm.RoleNotFound, fsm.PreconditionFailed},
		returnsSecret: true,
	}, func(c *call, req createKeyRequest) (createKeyData, error) {
		if err := c.checkKeyMeta(req.Meta, "meta"); err != nil {
			return createKeyData{}, err
		}
		var key string
		created, err := executeNew[*fsm.Created](c, func() fsm.Command {
			id := mint.ID(mint.Key)
			var start string
			key, start = c.secret(req.Prefix, int(req.ByteLength), id)
			return req.command(id, key, start, c.key.nonce)
		})
		if err != nil {
			return createKeyData{}, err
		}
		if c.replayed {
			key, _ = c.secretOf(req.Prefix, int(req.ByteLength), created.ID, created.Nonce)
		}
		return createKeyData{KeyID: created.ID, Key: key}, nil
	})
}

func (req *createKeyRequest) command(id, key, start string, nonce fsm.ShortHash) *fsm.CreateKey {
	command := &fsm.CreateKey{
		ID: id, Hash: mint.Hash(key), Start: start,
		APIID: string(req.APIID), Name: req.Name, ExternalID: string(req.ExternalID), Meta: keptMeta(req.Meta),
		Expires: expiresAt(req.Expires), Enabled: req.Enabled, Recoverable: req.Recoverable,
		Credits: req.Credits.newCredits(), Permissions: permissionRefs(req.Permissions), Roles: roleNames(req.Roles),
		Ratelimits: newRatelimits(req.Ratelimits), Nonce: nonce,
	}
	if command.ExternalID != "" {
		command.IdentityID = mint.ID(mint.Identity)
	}
	return command
}
