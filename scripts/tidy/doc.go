// Package tidy guards the structure of this module with tests, so that a rule which correctness or the reader rests on
// fails a build instead of a review.
//
//	arrows_test.go   which package may import which: one table, a row for every package
//	purity_test.go   fsm is deterministic: no clock, chance, goroutine, float, hidden state or visible map order
//	source_test.go   no sleeping tests, a comment on every package, no machine paths in any file
//	module_test.go   finds and parses the packages for the others
//
// It holds no code of the product and nothing imports it. Each guard is a function from source to findings, and each has
// a test that feeds it a small bad source: a guard that cannot fail guards nothing.
package tidy
