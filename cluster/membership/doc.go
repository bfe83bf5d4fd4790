// Package membership decides which nodes belong to the cluster, and which of them leads.
//
// Gossip suggests, raft decides. The parts, each with its own type:
//
//   - [Directory] (directory.go): raft's configuration, gossip's members, and the address of each server.
//   - [Gossip] (gossip.go): tells the others about this node, and the directory about them.
//   - [Bootstrap] (bootstrap.go): a founding set of nodes agrees before one of them writes the first configuration;
//     await.go says what an empty node waits for.
//   - [Reconciler]: on the leader, adds new nodes as non-voters and follows nodes that moved (reconcile.go) once they
//     answer at their address (prove.go), and gives votes (promote.go).
//   - [Standing] (standing.go): whether this node counts as a voter that has caught up.
//   - [Removal] (remove.go): takes a node out, on request only.
//   - [Departures] (departures.go): remembers which nodes left for good, and spreads the news.
//   - [Transfer] (transfer.go): moves leadership on purpose.
//   - [FastElection] (fastelection.go): replaces a leader whose process ended before raft's timeouts would.
//   - [Reporter] (report.go): asks nodes for their status.
//
// Only the leader changes raft's configuration, and no voter is removed for being silent. The package knows no ledger.
package membership
