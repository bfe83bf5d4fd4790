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

// rerollKey is keys.rerollKey, docs/contract.md 2.3.
func rerollKey() *endpoint {
	return write("keys.rerollKey", about{
		summary: "Replace the secret of a key",
		text: "Creates a copy of the key with another secret and the same balance. The old key ends after `expiration` milliseconds, rounded up " +
			"to a full minute, or at once for 0. Only this answer shows the new key.",
		needs:         []need{forOne(fsm.CreateKeyPermission)},
		example:       `{"keyId":"` + exampleKey + `","expiration":3600000}`,
		refuses:       []fsm.RefusalCode{fsm.KeyNotFound},
		returnsSecret: true,
	}, func(c *call, req rerollKeyRequest) (createKeyData, error) {
		// An earlier call is looked up first, because the old key may be gone by now.
		made, found, err := replayed[*fsm.Rerolled](c)
		var key string
		if err == nil && !found {
			made, key, err = c.reroll(req)
		}
		if err != nil {
			return createKeyData{}, err
		}
		if c.replayed {
			key, _ = c.secretOf(mint.Prefix(made.Start), rerollKeyBytes, made.ID, made.Nonce)
		}
		return createKeyData{KeyID: made.ID, Key: key}, nil
	})
}

// reroll asks for the start of the old key first, because the ledger cannot make secrets. A start changes only when a migrated key gets
// its first one. If the key gets rate limits in between, the reroll fails.
func (c *call) reroll(req rerollKeyRequest) (made *fsm.Rerolled, key string, err error) {
	old, err := answer[*fsm.KeyStart](c, &fsm.GetRerollStart{KeyID: string(req.KeyID)})
	if err != nil {
		return nil, "", err
	}
	c.index = 0 // that of the question
	made, err = executeNew[*fsm.Rerolled](c, func() fsm.Command {
		command := &fsm.RerollKey{
			KeyID: string(req.KeyID), NewID: mint.ID(mint.Key), Expiration: int64(req.Expiration), RatelimitIDs: make([]string, old.Ratelimits),
			Nonce: c.key.nonce,
		}
		key, command.Start = c.secret(mint.Prefix(old.Text), rerollKeyBytes, command.NewID)
		command.Hash = mint.Hash(key)
		for i := range command.RatelimitIDs {
			command.RatelimitIDs[i] = mint.ID(mint.Ratelimit)
		}
		return command
	})
	return made, key, err
}
