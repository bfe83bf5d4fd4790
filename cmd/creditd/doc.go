// Command creditd is the credit ledger as one binary: a single node for
// development, a member of a cluster, and the operator's tools.
//
// This package parses, wires and reports; it holds no rule of the ledger. A
// command is a row of the table in main.go. Every setting is an option
// (options.go), whose value comes from its flag, else from its environment
// variable, else from the file named by --config, else from its default; a
// value that does not fit is reported with the place it came from, and all of
// them at once.
//
// Start order: configuration, every port, data directory, node, HTTP. So a
// mistake in the first two leaves nothing on disk. Stop order: unready, HTTP
// drained, node, data directory. See run.go.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage. Results go to stdout, logs and
// messages to stderr.
package main
