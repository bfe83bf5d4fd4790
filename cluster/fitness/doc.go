// Package fitness judges whether this node may lead and may go on. It looks at its clock and its disk, and compares its ledger with those
// of the other nodes.
//
// # Clock and disk
//
// A [Monitor] compares this node's time with its wall clock and with the other voters' times, and asks for their impairments. A leader
// with a worse impairment than another voter transfers leadership to it. A leader whose time is wrong does not serve at all, because
// raft has no way to decline leadership.
//
// # Divergence
//
// On the leader a [Comparer] compares the digests of all ledgers at equal log indexes. A node that differs from the majority stops.
//
// The package proposes nothing and changes no configuration. DESIGN.md of package cluster has the reasons.
package fitness
