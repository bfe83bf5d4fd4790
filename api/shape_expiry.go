package api

import (
	"github.com/creditd/creditd/api/schema"
	"github.com/creditd/creditd/fsm"
)

type expiry int64

func (expiry) SchemaTag() string {
	return `schema:"minimum=0,maximum=4102444800000" doc:"Unix milliseconds."`
}

// expiresAt is the expiry of something new.
func expiresAt(e schema.Optional[expiry]) int64 { return int64(e.Or(expiry(fsm.Never))) }

// showExpiry returns nil, which is left out, for what never expires. An expiry of 0 is in force like any other.
func showExpiry(stored int64) *int64 {
	if stored == fsm.Never {
		return nil
	}
	return &stored
}
