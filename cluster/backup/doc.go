// Package backup writes the whole ledger to a file, and reads and checks such files.
//
// A [Source] is the newest snapshot of a node. It holds nothing of the ledger while it is written: see store.View. [Verify] loads a file as a
// node would. A [Keeper] makes files in a directory, on the leader, and removes its own old ones.
package backup
