// Package replica is one node's copy of the ledger under raft. It applies committed entries, takes and restores snapshots, and keeps the
// digests of the past that nodes compare.
//
// It adds no rule to package fsm, knows no other node, and proposes nothing.
//
// # Locks
//
// Replica.mu guards the ledger: raft's FSM goroutine writes to it, everybody may read. No lock of another package is taken while it is
// held, and nothing is sent.
package replica
