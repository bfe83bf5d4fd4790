// Package mirror forwards requests to a primary system, answers with its answers, and tells others of each verification in the background: it
// records them, and sends copies to a second system. The command line uses it.
//
// Invariant: the primary's answers depend on nothing that happens in the background. What the background cannot take is dropped and counted.
// Invariant: no key is written; recordings have hashes.
package mirror
