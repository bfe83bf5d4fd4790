// Package fields visits the fields of the ledger's values: commands, results and records.
//
// Each value describes itself once, in a method that names its fields in order. One [Visitor] turns that description into bytes,
// reads it back, hashes it for the digest, measures it, or tells which ledger version it needs. So the five cannot drift apart.
//
// # Forms
//
// The first form of a value is that of ledger version 1. A field that came with version v stands at the end, inside
// [Visitor.Added] with that version. While the field has its default value, the value keeps the bytes and the hash of the form before.
// A value is written in the oldest form that holds it.
//
// The bytes are the same on every node and in every build: no reflection, no map order, one encoding for each value. Reading is
// strict: a value out of range, an integer that is longer than it needs to be, or a byte that is left over is an error.
//
// The package imports nothing of the project. Only fsm and fsm/codec use it.
package fields
