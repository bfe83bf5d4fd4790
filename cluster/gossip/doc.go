// Package gossip finds the nodes of a cluster and carries their addresses.
// It wraps memberlist and turns its callbacks into a list of [Member] values
// and a channel that says the list changed.
//
// Gossip suggests, raft decides: nothing here may lead to a change of raft's
// configuration by itself. A member that gossip calls failed may be a healthy
// voter behind a bad link; a member that it calls alive may be a stranger.
// [Member.Eligible] is the least that package cluster asks for before it even
// looks at a member.
//
// # Invariants
//
//   - Callbacks run inside memberlist, under its locks. They copy what they
//     are given, set a flag and return: no I/O, no log line, no raft.
//   - Lock order: memberlist's locks, then Gossip.mu. Memberlist is never
//     called with Gossip.mu held.
//   - Metadata is strict: what does not decode is kept as Unreadable and is
//     never eligible. What would not fit is refused when it is configured,
//     with the name of the field, since memberlist panics beyond 512 bytes.
//   - Whoever has the gossip key can claim any name. Identity is checked on
//     the peer port, not here.
//
// # Left and failed
//
// Memberlist knows the difference and does not tell its event delegate. A
// node that leaves therefore says so to each member over a connection of its
// own before it stops. A member that the word does not reach shows the node
// as failed, which is the careful side: nothing is removed because of it.
//
// # Rejoining
//
// The addresses given to Join are kept. While they cannot be reached, while
// the node is alone, and while members are failed, a background loop tries
// them and the last known addresses of failed members again. Memberlist alone
// forgets a failed member after half a minute, so the two sides of a healed
// partition would never meet.
//
// Only package cluster may import this package.
package gossip
