// Package fsmtest helps to test the ledger: a second, naive implementation of all its rules (Twin) and a source of random
// commands (Generator). It exists for tests only.
//
// # The twin
//
// The twin was written from docs/contract.md alone, without a look at how package fsm does it, and does everything the plain
// way: slices and full scans instead of indexes, refills carried out at every midnight for every record instead of when a
// record is next touched, the calendar of package time instead of arithmetic on day numbers. Where both agree on thousands
// of random histories, a mistake would have to be made twice, in two different ways.
//
// The contract leaves a few things open. The twin fixes them like this:
//
//   - Log time is the largest stamp so far. A midnight between two stamps is carried out before the later batch.
//   - lastUsedAt is written by a verification that finds the key, when the old value is at least a minute behind.
//   - An id or hash is taken as long as any record has it, a deleted one included. The id for a new identity counts only when
//     the identity has to be made. The rules on credits are checked before ids, and "exists already" before both.
//   - The ids for new permissions count only where a permission has to be made. Missing permissions of the root key come before
//     names that are taken or unknown; unknown roles come after the rules on credits and before ids.
package fsmtest
