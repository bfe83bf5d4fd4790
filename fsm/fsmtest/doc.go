// Package fsmtest helps to test the ledger. It has a second, naive implementation of all rules, the reference model (Model), and a source
// of random commands (Generator). Only tests use it.
//
// # The reference model
//
// The model was written from docs/contract.md alone, without a look at package fsm. It does everything in the plain way. It has slices and
// full scans instead of indexes. It refills every balance at every midnight instead of on the next change. It uses the calendar of package
// time instead of arithmetic on day numbers. Both agree on thousands of random histories, so a mistake would have to be made twice.
//
// The contract leaves a few things open. The model decides them like this:
//
//   - Log time is the largest stamp so far. A midnight between two stamps happens before the later batch.
//   - A verification that finds the key writes lastUsedAt if the old value is at least a minute behind.
//   - An id is taken as long as any record has it, also a deleted one. So is a hash below ledger version 2; from then on a deleted key frees
//     its hashes. The id for a new identity counts only if the identity has to
//     be created. The rules on credits are checked before ids, and "exists already" before both.
//   - The ids for new permissions count only if a permission has to be created. Missing permissions of the root key come before names that
//     are taken or unknown. Unknown roles come after the rules on credits and before ids.
package fsmtest
