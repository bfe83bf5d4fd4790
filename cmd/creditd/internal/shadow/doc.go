// Package shadow compares the answers that another system gave to verifications with those that creditd would give. The command line uses it.
//
// It asks for previews, so nothing is debited. What creditd would have debited since the first record, it counts itself, per balance.
// Invariant: verdicts may be asked for in any order, and records are judged in theirs.
package shadow
