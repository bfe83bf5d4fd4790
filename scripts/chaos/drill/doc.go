// Package drill runs a cluster under load while its nodes are killed, and decides whether the ledger kept its promises.
//
// A drill has four parts, a file each: owners.go creates balances, clients.go spends and grants over all nodes and
// writes down what each answer said, faults.go kills and pauses nodes from a seed, and drill.go puts them in order:
// load and faults, then healing, then the comparison of all nodes, the books, and a restart of everything. The seed
// fixes which faults come in which order and what clients ask for; the interleaving is the machine's.
package drill
