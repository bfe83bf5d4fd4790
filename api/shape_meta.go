package api

import (
	"bytes"
	"fmt"
	"slices"

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

// metaHolder is data that shows metas. They are JSON already, and package encoding/json would read all of them again for each answer.
type metaHolder interface {
	// metas are where its metas stand, in the order of the text.
	metas() []*schema.Object
}

// metaPlace stands in the text where a meta belongs. Nothing else can look like it: an empty meta is left out, and quotes in strings are
// escaped.
const metaPlace = `"meta":{}`

// appendHolder encodes data without its metas and puts them into their places.
func appendHolder(b []byte, data metaHolder) []byte {
	places := slices.DeleteFunc(data.metas(), func(m *schema.Object) bool { return *m == "" })
	kept := make([]schema.Object, len(places))
	for i, m := range places {
		kept[i], *m = *m, "{}"
	}
	rest := encodeData(nil, data)
	for i, m := range places {
		before, after, _ := bytes.Cut(rest, []byte(metaPlace))
		b = append(append(append(b, before...), `"meta":`...), kept[i]...)
		*m, rest = kept[i], after
	}
	return append(b, rest...)
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
