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
	Permissions []slug                  `json:"permissions" schema:"maxItems=1000"`
	Expires     schema.Optional[expiry] `json:"expires"`
	Credits     *credits                `json:"credits"`
	Ratelimits  []ratelimitConfig       `json:"ratelimits" schema:"maxItems=50"`
	Enabled     bool                    `json:"enabled" schema:"default=true"`
	Recoverable bool                    `json:"recoverable" schema:"default=false"`
}

type createKeyData struct {
	KeyID string `json:"keyId"`
	Key   string `json:"key"`
}

// createKey serves keys.createKey, docs/contract.md 2.3. The key leaves the process in this answer and nowhere else.
func createKey(c *call, req createKeyRequest) (any, error) {
	var key string
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		id := mint.ID(mint.Key)
		var start string
		key, start = c.secret(req.Prefix, int(req.ByteLength), id)
		command := &fsm.CreateKey{
			ID: id, Hash: mint.Hash(key), Start: start,
			APIID: string(req.APIID), Name: req.Name, ExternalID: string(req.ExternalID), Meta: keptMeta(req.Meta),
			Expires: expiresAt(req.Expires), Enabled: req.Enabled, Recoverable: req.Recoverable,
			Credits: req.Credits.newCredits(), Permissions: slugRefs(req.Permissions), Roles: roleNames(req.Roles),
			Ratelimits: newRatelimits(req.Ratelimits),
		}
		if command.ExternalID != "" {
			command.IdentityID = mint.ID(mint.Identity)
		}
		return command
	})
	if err != nil {
		return nil, err
	}
	if c.replayed {
		key, _ = c.secret(req.Prefix, int(req.ByteLength), created.ID)
	}
	return createKeyData{KeyID: created.ID, Key: key}, nil
}
