// Package rpc is the typed requests that nodes make of each other over package peer.
//
// # Adding a request
//
// A [Method] is one request: its number, its name, and the encodings of request and answer. It stands in the file of the part that makes
// and serves it. One row in the table of package cluster binds the method to its handler:
//
//	rpc.Background(&membership.Remove, removal.Serve),
//
// # Faults
//
// What a handler fails with travels as a code, which decides, and a detail, which explains. The caller gets the same *fault.Error that
// the handler returned, without its cause. A node that does not know a method answers with its build; see [Unsupported].
//
// # Growing
//
// A mixed cluster must work while it is upgraded. Method numbers and codes are append only. The fields of a fault and of a JSON message
// only grow: a reader ignores what it does not know and takes the zero value for what is missing.
//
// The package knows no ledger and no raft.
package rpc
