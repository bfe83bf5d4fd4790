// Package cluster is a node: it runs raft around the ledger, turns waiting requests into log entries, forwards what only the
// leader can decide, and keeps the membership.
//
// # The path of a command
//
//	Execute (execute.go) ─ on the leader ──► batch.Batcher ─► entryLog (entry.go) ─► raft ─► replica.Replica ─► fsm
//	                     └ on a follower ─► peer.Client ─► Handle (serve.go) on the leader, and from there the same way
//
// A forwarded command is never forwarded again. Every command carries a ticket (session.go): the ledger keeps its result until this
// node acknowledges it, so after any failure the command is sent again, to whichever node leads by then, and takes effect once.
// Package fault tells apart what is left at the deadline: "certainly not executed" and "unknown".
//
// # Reads
//
// A linearizable read asks the leader for an index: the one of an entry that was proposed after the read arrived, shared by
// everything that waits (package batch; rounds.go on a follower). Once this node has applied that index the local state is
// fresh enough. raft's VerifyLeader is not used: it may succeed on an acknowledgement that was sent before the question.
//
// # Membership
//
// Gossip suggests, raft decides. A founding set of nodes agrees before the first of them writes a configuration
// (bootstrap.go); afterwards only the leader changes it (membership.go): a newcomer becomes a non-voter and is promoted by
// raft-autopilot once it has caught up; nobody is removed for being silent.
//
// # What it must not know
//
// HTTP, flags and the environment. It is configured by a Config and used through Node.
//
// # Locks
//
// Node.mu guards the leadership fields. It is not
// held while anything is sent.
package cluster
