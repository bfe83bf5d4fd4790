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
	show := func(made *fsm.Rerolled, key string) (any, error) {
		if c.replayed {
			key, _ = c.secret(mint.Prefix(made.Start), rerollKeyBytes, made.ID)
		}
		return createKeyData{KeyID: made.ID, Key: key}, nil
	}
	earlier, found, err := recalled[*fsm.Rerolled](c) // first: the old key may be gone by now
	if err != nil {
		return nil, err
	}
	if found {
		return show(earlier, "")
	}
	old, err := answer[*fsm.Start](c, &fsm.RerollStart{KeyID: string(req.KeyID)})
	if err != nil {
		return nil, err
	}
	c.index = 0 // that of the question
	var key string
	made, err := executeNew[*fsm.Rerolled](c, func() fsm.Command {
		command := &fsm.RerollKey{
			KeyID: string(req.KeyID), NewID: mint.ID(mint.Key), Expiration: int64(req.Expiration), RatelimitIDs: make([]string, old.Ratelimits),
		}
		key, command.Start = c.secret(mint.Prefix(old.Text), rerollKeyBytes, command.NewID)
		command.Hash = mint.Hash(key)
		for i := range command.RatelimitIDs {
			command.RatelimitIDs[i] = mint.ID(mint.Ratelimit)
		}
		return command
	})
	if err != nil {
		return nil, err
	}
	return show(made, key)
}
