package fsmtest

import (
	"github.com/creditd/creditd/fsm"
)

// idempotency names a call: one of few names, so that they come back, mostly with the same request.
func (g *Generator) idempotency() *fsm.Idempotency {
	o := &fsm.Idempotency{Key: fsm.ShortHash{byte(g.rng.IntN(12))}, Fingerprint: fsm.ShortHash{1}}
	if g.chance(20) {
		o.Fingerprint[0] = byte(g.rng.IntN(3))
	}
	return o
}

// nonce is mostly that of a call without an idempotency key: none.
func (g *Generator) nonce() (nonce fsm.ShortHash) {
	if g.chance(20) {
		nonce[0] = byte(g.rng.IntN(4))
	}
	return nonce
}

// withKey is a call that may have a name. What comes back under a name is mostly the call that had it first.
func (g *Generator) withKey(call fsm.Call) fsm.Call {
	switch {
	case g.chance(80):
		return call
	case len(g.sent) > 0 && g.chance(50):
		call = g.sent[g.rng.IntN(len(g.sent))]
		if g.chance(20) {
			call.Actor = g.actor()
		}
		if g.chance(20) {
			call.Idempotency = g.idempotency()
		}
		return call
	}
	call.Idempotency = g.idempotency()
	if g.sent = append(g.sent, call); len(g.sent) > 20 {
		g.sent = g.sent[1:]
	}
	return call
}
