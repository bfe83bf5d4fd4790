// Package codec turns the ledger's commands, results and records into bytes and back.
//
// The bytes are the same on every node and in every build. Each value describes its fields once, and package fields writes or reads them
// from that description. Decoding is strict: an unknown version or kind, a value out of range, an integer that is longer than necessary,
// or a byte that is left over is an error. A node stops if it cannot decode what is committed.
//
// Batches and results carry a CRC-32C. It is checked when they are proposed, read back from the log, and received from a peer. Records
// carry none: package store adds one to each record that it writes.
//
// Formats only add: a new field or command takes a new ledger version or kind number. The golden files in testdata hold each format that was
// ever released.
package codec
