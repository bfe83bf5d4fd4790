// Package cluster is a node: it wires raft around the ledger, and the parts that propose, decide on membership and judge fitness.
//
// # Parts
//
// Each part is a package with its own state. It gets what it needs through its constructor (parts.go), and knows only packages below it:
//
//	cluster      Node: configuration, start and stop, terms of leadership (term.go), status, metrics
//	propose      commands and reads ─► log entries      membership   who belongs to the cluster, who leads
//	fitness      clock, disk space, divergence          leader       finds the leader, retries
//	replica      one copy of the ledger under raft      upgrade      raises the ledger version
//	rpc          typed requests between nodes
//	batch        waiting requests ─► one entry          gossip       finds nodes
//	clock        a clock that cannot jump               peer         connections between nodes
//	fault        the error type of all of them
//
// Package propose describes the path of a command and of a read. methods.go lists every request between nodes.
//
// # What it must not know
//
// HTTP, flags and the environment. It is configured by a Config and used through Node.
package cluster
