// Command creditd is the credit ledger as one binary: a single node for development, a member of a cluster, and the operator's
// tools.
//
// This package parses, wires and reports; it holds no rule of the ledger. A command registers itself beside its implementation
// (command.go). A setting is one line that binds a field of the struct of its part; see package settings.
//
// A node starts in this order: settings, ports, data directory, node, HTTP. So a mistake in the first two leaves nothing on disk.
// It stops in the reverse order: unready, HTTP drained, node, data directory. See run.go.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage. Results go to stdout, logs and messages to stderr.
package main
