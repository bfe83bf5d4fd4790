package api

import "github.com/creditd/creditd/api/schema"

// meta is a free-form object.
type meta = schema.Object

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
