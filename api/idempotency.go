package api

import (
	"crypto/sha256"

	"github.com/creditd/creditd/api/mint"
	"github.com/creditd/creditd/fsm"
)

// once is how a call stands in for all calls with its Idempotency-Key: docs/contract.md 7.1.
type once struct {
	key   string // as sent; empty: the call has none
	token string // the caller's root key, for answers with a secret
	name  fsm.Idempotency
}

// maxIdempotencyKey bounds the length of a key.
const maxIdempotencyKey = 255

// readIdempotencyKey reads the header.
func (c *call) readIdempotencyKey(values []string, token string) error {
	switch {
	case c.point.reads:
		return invalid("The header Idempotency-Key is only for endpoints that change or charge something")
	case c.point.outside:
		return invalid("The header Idempotency-Key is not for this endpoint: what it does is not recorded in the ledger")
	case len(values) != 1 || !isIdempotencyKey(values[0]):
		return invalid("The header Idempotency-Key must be sent once and have 1 to 255 visible ASCII characters")
	}
	c.once.key = values[0]
	c.once.name = fsm.Idempotency{Name: nameOf(c.point.name, values[0]), Request: shortHash(c.body)}
	if c.point.secret {
		c.once.token = token
		c.once.name.Request = shortHash(c.body, c.actor[:]) // nobody else can be told the secret again
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

// nameOf is under which name the ledger keeps the outcome. No endpoint has a zero byte in its name.
func nameOf(endpoint, key string) fsm.Short {
	return shortHash([]byte(endpoint), []byte{0}, []byte(key))
}

func shortHash(parts ...[]byte) (short fsm.Short) {
	h := sha256.New()
	for _, part := range parts {
		h.Write(part) // never fails
	}
	copy(short[:], h.Sum(nil))
	return short
}

// named is what the ledger is told of the key; nil: the call has none.
func (c *call) named() *fsm.Idempotency {
	if c.once.key == "" {
		return nil
	}
	return &c.once.name
}

// recalled asks for the outcome of an earlier call with the same key, for a handler that has to ask something else first.
func recalled[R fsm.Result](c *call) (earlier R, found bool, err error) {
	if c.once.key == "" {
		return earlier, false, nil
	}
	r, index, err := c.api.node.Answer(c.ctx, c.actor, &fsm.Recall{Once: c.once.name})
	if _, none := r.(*fsm.Done); none {
		return earlier, false, nil
	}
	earlier, err = outcome[R](c, r, index, err)
	return earlier, err == nil, err
}

// secret makes the key that an answer shows once. With an Idempotency-Key it is not drawn but derived from what only the caller has,
// so that the same answer can be given again and the ledger still knows no secret. id is new, and so the derived key is.
func (c *call) secret(prefix string, size int, id string) (key, start string) {
	if c.once.key == "" {
		return mint.Secret(prefix, size)
	}
	return mint.Derived(prefix, size, c.once.token, c.point.name, c.once.key, id)
}
