// Package faultrun runs a cluster under load while it injects faults into its nodes and the links between them, and decides whether
// the ledger kept its promises.
//
// A run has these parts: accounts.go creates balances; clients.go debits, increments, sets and reads them through all nodes and
// records each answer; injector.go and replace.go inject the faults of faults.go, from a seed; leaderwatch.go follows who leads. run.go puts them in
// order: load and faults, repair, comparison of all nodes, check of the record, restart of all nodes. check.go checks the record twice:
// by replay in log order, and for linearizability.
//
// The seed fixes which faults come in which order and what clients ask for. The interleaving is the machine's.
package faultrun
