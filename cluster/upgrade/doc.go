// Package upgrade raises the ledger version of a cluster.
//
// Each build reads a range of ledger versions, and each node announces its range: in its status, and through gossip. The leader asks all
// servers of raft's configuration. Once every voter, and every non-voter that is up, reads a newer version, the leader raises the ledger
// to it by a log entry. The version never falls.
//
// Until then a node may go back to the build before. Afterwards an older build refuses the data directory, the log entry and the snapshot,
// and names the version. A new node with such a build is not added. The leader sees its range through gossip. The node itself asks the
// others for their ledger version and stops.
package upgrade
