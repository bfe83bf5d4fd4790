package api

import (
	"crypto/sha256"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// idempotencyHeader is the Idempotency-Key of a call, docs/contract.md 7.1.
type idempotencyHeader struct {
	text    string        // as sent; empty: the call has none
	rootKey string        // the caller's, for answers with a secret
	nonce   fsm.ShortHash // likewise; zero: none, because the ledger cannot keep one yet
	hash    fsm.Idempotency
}

// maxIdempotencyKey bounds the length of a key.
const maxIdempotencyKey = 255

// readIdempotencyKey reads the header.
func (c *call) readIdempotencyKey(values []string, token string) error {
	switch {
	case c.endpoint.reads:
		return invalid("Only endpoints that change or debit something take the header Idempotency-Key")
	case c.endpoint.outsideLedger:
		return invalid("This endpoint does not take the header Idempotency-Key, because the ledger does not record its effect")
	case len(values) != 1 || !isIdempotencyKey(values[0]):
		return invalid("The header Idempotency-Key must be sent once and have 1 to 255 visible ASCII characters")
	}
	c.key.text = values[0]
	c.key.hash = fsm.Idempotency{Key: idempotencyHash(c.endpoint.name, values[0]), Fingerprint: shortHash(c.body)}
	if c.endpoint.returnsSecret {
		c.key.rootKey = token
		if c.api.node.LedgerVersion() >= nonceVersion {
			c.key.nonce = mint.Nonce()
		}
		c.key.hash.Fingerprint = shortHash(c.body, c.actor[:]) // nobody else gets the secret again
	}
	return nil
}

func isIdempotencyKey(text string) bool {
	if text == "" || len(text) > maxIdempotencyKey {
		return false
	}
	for i := range len(text) {
		if text[i] < '!' || text[i] > '~' {
			return false
		}
	}
	return true
}

// idempotencyHash names the idempotency record of a key. No endpoint has a zero byte in its name.
func idempotencyHash(endpoint, key string) fsm.ShortHash {
	return shortHash([]byte(endpoint), []byte{0}, []byte(key))
}

func shortHash(parts ...[]byte) (short fsm.ShortHash) {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part) // never fails
	}
	copy(short[:], h.Sum(nil))
	return short
}

// idempotency is what the ledger learns of the key; nil: the call has none. It is a copy: a command may wait to be proposed after its client
// hung up, and then another request uses the call.
func (c *call) idempotency() *fsm.Idempotency {
	if c.key.text == "" {
		return nil
	}
	hash := c.key.hash
	return &hash
}

// replayed asks for the answer to an earlier call with the same key, for a handler that has to ask something else first.
func replayed[R fsm.Result](c *call) (earlier R, found bool, err error) {
	if c.key.text == "" {
		return earlier, false, nil
	}
	r, index, err := c.api.node.Answer(c.ctx, c.actor, &fsm.GetIdempotencyRecord{Idempotency: c.key.hash})
	if _, none := r.(*fsm.Done); none {
		return earlier, false, nil
	}
	earlier, err = resultOf[R](c, r, index, err)
	return earlier, err == nil, err
}

// mayBeRepetition reports whether the caller may get the answer to an earlier call, before the body is known. The names of the records of parts
// depend on the body.
func (c *call) mayBeRepetition() (bool, error) {
	values := c.gin.Request.Header[headerIdempotencyKey]
	if len(values) != 1 || c.endpoint.reads || c.endpoint.outsideLedger {
		return false, nil
	}
	if c.endpoint.inParts {
		return true, nil
	}
	q := &fsm.GetIdempotencyRecord{Idempotency: fsm.Idempotency{Key: idempotencyHash(c.endpoint.name, values[0])}}
	r, _, err := c.api.node.Answer(c.ctx, c.actor, q)
	_, none := r.(*fsm.Done)
	return !none, err
}

// nonceVersion is the ledger version from which an idempotency record keeps a nonce.
const nonceVersion = 3

// secret makes the key that an answer shows once. With an Idempotency-Key it is derived from what only the caller has, and from a nonce
// that only the idempotency record has. So the answer can be given again for a day, and the ledger knows no secret.
func (c *call) secret(prefix string, size int, id string) (key, start string) {
	return c.secretOf(prefix, size, id, c.key.nonce)
}

// secretOf is secret with the nonce of an earlier call.
func (c *call) secretOf(prefix string, size int, id string, nonce fsm.ShortHash) (key, start string) {
	if c.key.text == "" {
		return mint.Secret(prefix, size)
	}
	return mint.Derived(prefix, size, c.key.rootKey, nonce, c.endpoint.name, c.key.text, id)
}
