package api

import (
	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type rerollKeyRequest struct {
	_          schema.Loose
	KeyID      keyID  `json:"keyId" schema:"required"`
	Expiration expiry `json:"expiration" schema:"required"` // milliseconds from now
}

// rerollKeyBytes is the size of the new key.
const rerollKeyBytes = 16

// rerollKey serves keys.rerollKey, docs/contract.md 2.3. The ledger knows no secrets, so how the new one has to begin is asked first; a
// start changes only when a migrated key gets its first one. Rate limits that the key gets in between fail the reroll.
func rerollKey(c *call, req rerollKeyRequest) (any, error) {
	old, err := answer[*fsm.Start](c, &fsm.RerollStart{KeyID: string(req.KeyID)})
	if err != nil {
		return nil, err
	}
	c.index = 0 // that of the question
	var key string
	created, err := executeNew[*fsm.Created](c, func() fsm.Command {
		secret, start := mint.Secret(mint.Prefix(old.Text), rerollKeyBytes)
		key = secret
		limits := make([]string, old.Ratelimits)
		for i := range limits {
			limits[i] = mint.ID(mint.Ratelimit)
		}
		return &fsm.RerollKey{
			KeyID: string(req.KeyID), NewID: mint.ID(mint.Key), Hash: mint.Hash(key), Start: start, Expiration: int64(req.Expiration),
			RatelimitIDs: limits,
		}
	})
	if err != nil {
		return nil, err
	}
	return createKeyData{KeyID: created.ID, Key: key}, nil
}
