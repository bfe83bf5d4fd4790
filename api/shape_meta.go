package api

import (
	"fmt"

	"github.com/creditd/creditd/api/schema"
)

// meta is a free-form object.
type meta = schema.Object

// maxKeyMetaBytes bounds the meta of a key: docs/contract.md 1.10 [D-31]. Every change of a key hashes its meta.
const maxKeyMetaBytes = 64 << 10

// checkKeyMeta refuses a meta that is too large, but only to callers that are authenticated: see contract 1.2. at is where it stands in the
// body.
func (c *call) checkKeyMeta(m meta, at string) error {
	if len(m) <= maxKeyMetaBytes {
		return nil
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	return invalid(fmt.Sprintf("%s is too large: %d bytes as compact JSON, at most %d are allowed", at, len(m), maxKeyMetaBytes))
}

// keptMeta is a meta as the ledger keeps it: an empty object says no more than none.
func keptMeta(m meta) string {
	if m == "{}" {
		return ""
	}
	return string(m)
}

// showMeta returns "", which is left out, for an empty object.
func showMeta(stored string) schema.Object {
	if stored == "{}" {
		return ""
	}
	return schema.Object(stored)
}

// appendMeta appends a stored meta, which is JSON already, unless it is empty.
func appendMeta(b []byte, stored string) []byte {
	shown := showMeta(stored)
	if shown == "" {
		return b
	}
	b = append(b, `,"meta":`...)
	return append(b, shown...)
}
