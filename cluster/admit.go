package cluster

import "github.com/creditd/creditd/cluster/fault"

// announcedSince is the ledger version from which on every node of the cluster says who it is when it connects.
const announcedSince = 3

var (
	errNameless = fault.New(fault.Unavailable, "The node that asks does not say which node it is, which every build of this cluster does")
	errStranger = fault.New(fault.Unavailable, "The node that asks is not a member of this cluster: it was not added yet, or it was removed")
)

// admit returns why a node may not act for callers. A command names a root key by its hash, so the node that forwards it must be a member.
func (n *Node) admit(nodeID string) error {
	switch {
	case nodeID == "" && n.replica.LedgerVersion() < announcedSince:
		return nil // a node of an earlier build may still be a member
	case nodeID == "":
		return errNameless
	case !n.directory.Has(nodeID):
		return errStranger
	}
	return nil
}
