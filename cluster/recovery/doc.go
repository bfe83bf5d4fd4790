// Package recovery makes data directories of clusters of one node: from a backup, or from what a survivor has after the quorum was lost.
//
// It works on stopped nodes only. Either way the ledger goes on in a directory with a new node id, under a new cluster id or in a new generation
// of the old one: see package generation. So no other node that has data takes this one for a node of its cluster, whatever its build is.
// cluster/DESIGN.md has the reasons.
package recovery
