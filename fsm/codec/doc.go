// Package codec turns the ledger's commands, results and records into bytes and back.
//
// The bytes are the same on every node and in every build: no reflection, no map order, one encoding per value. Each type is
// described once, by a method that either writes its fields or reads them (see coder), so the two directions cannot drift
// apart. Decoding is strict: an unknown version or kind, a value out of range, a varint that is longer than it needs to be, or a
// byte left over is an error, and what is committed but cannot be decoded stops the node.
//
// Batches and results carry a CRC-32C, checked wherever they are read: when proposed, when read back from the log and when
// received from a peer. Records carry none of their own: package store puts one on each record it writes.
//
// Formats are append-only: a new field or command takes a new version or kind number. The golden files in testdata hold each
// format that was ever released.
package codec
