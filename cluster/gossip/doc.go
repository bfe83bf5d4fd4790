// Package gossip finds the nodes of a cluster and spreads their addresses. It wraps memberlist, and turns its callbacks into a list of
// [Member] values and a channel that signals changes of the list.
//
// Gossip suggests, raft decides: a member's health alone never changes raft's configuration. A failed member may be a healthy voter behind
// a bad link, and an alive one may be a stranger. Package cluster considers only members that are [Member.Eligible], and checks more.
//
// # Invariants
//
//   - Callbacks run inside memberlist, under its locks. They copy their arguments, set a flag and return: no I/O, no log line, no raft.
//   - Lock order: memberlist's locks, then the table's mutex. memberlist is never called with this mutex held.
//   - A member whose metadata does not decode is Unreadable, and never eligible. memberlist panics on more than 512 bytes, so New and Update
//     refuse fields that are too long, and name them.
//   - Everyone with the gossip key can use any name. The peer port checks identities.
//
// # Left and failed
//
// memberlist knows the difference but does not tell its event delegate. So a node that leaves sends each member a leave message before it
// stops. A member that does not get the message sees the node as failed. This is safe, because it removes nothing.
//
// # Rejoining
//
// A background loop contacts the last known addresses of failed members and, while the node sees no other member, those given to Join.
// memberlist alone forgets a failed member after half a minute, so the two sides of a healed partition would never meet.
//
// Only package cluster may import this package.
package gossip
