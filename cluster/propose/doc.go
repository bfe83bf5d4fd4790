// Package propose carries commands and reads to the ledger: on the leader into log entries, on a follower through the leader.
//
// # The path of a command
//
//	Proposer.Execute (execute.go)  takes a call id from the session (session.go)
//	  on the leader                batch.Batcher ─► entryLog (entry.go) ─► raft
//	  on a follower                one hop (forward.go), then as on the leader
//
// A forwarded command is never forwarded again. Every command carries a call id: the ledger keeps its result until this node acknowledges
// it. After a failure the node retransmits the command under its call id to the present leader, and the ledger executes it exactly once. At
// the deadline package fault tells "certainly not executed" from "unknown".
//
// # Reads
//
// A linearizable read asks the leader for a read index: the index of an entry that was proposed after the read arrived. All waiting
// reads share it (package batch on the leader, readindex.go on a follower). Once this node has applied that index, its own ledger is
// fresh enough. raft's VerifyLeader is not used: it may succeed on an acknowledgement that was sent before the question.
//
// # Terms
//
// Nothing is proposed before the node serves a term: see Term. The package does not decide when that is, nor who is fit to lead.
package propose
