// Package books checks the record of a crash run against the rules of the ledger. It is pure: operations and final
// balances in, violations out.
//
// The check replays each balance in the order of the log. An answered change carries the index of its entry and the
// balance after it, so the answered changes of one balance must form a chain: each starts from the balance where the
// one before it ended. Changes of unknown outcome are the only thing that may explain a step between two links, and
// only those sent before the second link was answered; each step must be the sum of some of them. Several changes may
// share an entry; within it every order is tried. What it cannot decide it reports as undecided, never as a violation:
// every violation is one.
package books
