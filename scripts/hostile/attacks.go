package main

import (
	"context"
	"crypto/sha256"
)

// attack is one way to hurt the cluster. prepare builds the worst state that the API allows, while nothing is measured, and returns what an
// attacker does again and again.
type attack struct {
	name      string
	attackers int
	prepare   func(ctx context.Context, t *target) (strike, error)
}

// nothing burns the attackers' CPU and attacks nobody. What the victim suffers beside it is the machine's part of every other figure.
func nothing() attack {
	return attack{"nothing", 16, func(_ context.Context, t *target) (strike, error) {
		body := make([]byte, 1<<20)
		return func(context.Context, int) {
			_ = sha256.Sum256(body)
			t.note("hashed MiB")
		}, nil
	}}
}

// strike is one blow of the attacker with a number.
type strike func(ctx context.Context, attacker int)

// replayed is the attack that needs a recording.
const replayed = "replay"

// allAttacks are those that every cluster can suffer; tlsAttacks are the others.
func allAttacks() []attack {
	return []attack{
		// A tenant, with what its root keys allow.
		{"refused", 4, sendRefusedWrites},
		{"patterns", 4, matchPatterns},
		{"lists", 4, listWideKeys},
		{"identities", 4, listLargeIdentities},
		{"updates", 16, updateLargeKeys},
		{"ratelimits", 8, checkManyRatelimits},
		{"batches", 4, verifyInBatches},
		{"migrations", 2, migrateMany},
		{"outcomes", 16, fillIdempotency},
		{"windows", 16, fillWindows},
		// A stranger, without credentials.
		{"bodies", 150, dribbleBodies},
		{"properties", 2, sendManyProperties},
		{"readers", 20, readNothing},
		{"connections", 8, openConnections},
		{"peers", 8, besetPeerPort},
		{"gossip", 4, besetGossipPort},
		{replayed, 9, replaySessions},
	}
}
