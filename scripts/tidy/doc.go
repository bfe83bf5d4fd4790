// Package tidy guards the structure of this module with tests. So a broken rule that correctness or the reader relies on fails a build
// instead of a review.
//
//	arrows_test.go   which package may import which: one table, a row for every package
//	purity_test.go   fsm is deterministic: no clock, chance, goroutine, float, hidden state or visible map order
//	guarantees_test.go   every promise of docs/guarantees.md names a test that exists
//	rows_test.go     every row of docs/contract.md 5 is cited by a test, or says why it is not applicable
//	source_test.go   no sleeping tests, a comment on every package, no machine paths in any file, no built programs
//	readme_test.go   README names the Go version of go.mod; scripts/cluster uses the default log store
//	module_test.go   finds and parses the packages for the others
//
// It holds no code of the product, and nothing imports it. Each guard is a function from source to findings. Each has a test with a small
// bad source, because a guard that cannot fail guards nothing.
package tidy
