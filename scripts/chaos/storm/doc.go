// Package storm sends many debits, each one to five times at once with one Idempotency-Key, through different nodes. Meanwhile leadership
// moves, nodes die and restart from snapshots, and new nodes are sent full snapshots. Every debit must be executed exactly once, and every
// copy must get the same answer.
package storm
