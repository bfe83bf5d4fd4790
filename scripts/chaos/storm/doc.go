// Package storm sends many charges, each one to five times at once with one Idempotency-Key, through different nodes, while leadership
// moves, nodes die and come back from snapshots, and newcomers are sent whole copies. Every charge must be taken exactly once, and every
// copy must be told the same.
package storm
