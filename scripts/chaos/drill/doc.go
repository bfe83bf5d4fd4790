// Package drill runs a cluster under load while its nodes and the links between them are hurt, and decides whether the ledger kept
// its promises.
//
// A drill has five parts: owners.go creates balances, clients.go spends, grants, sets and reads over all nodes and writes down what
// each answer said, nemesis.go does the faults of faults.go from a seed, watch.go follows who leads, and drill.go puts them in order:
// load and faults, then healing, then the comparison of all nodes, the books, the replay in log order, and a restart of everything.
// The seed fixes which faults come in which order and what clients ask for; the interleaving is the machine's.
package drill
