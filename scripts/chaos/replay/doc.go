// Package replay checks a record against the order of the log. It puts the answered operations of each account in the order of their
// Creditd-Index. Then it executes them again, one after the other, in an implementation too small to be wrong. Each must get the same
// answer. The package is pure: operations and final balances in, violations out.
//
// Operations may share an entry: some order of them must fit. A denial shows a balance from within its entry or from its end, a read the
// one at the end. An operation of unknown outcome may have been executed at any moment after it was sent, or never. The replay follows
// every possibility, and later answers leave those that can be true. What takes too long to decide is counted as undecided; every violation
// is one.
//
// Two checks need no replay. No answer may be one that the contract does not allow. And the indexes of all accounts together must
// follow real time: an operation that was sent after another was answered comes later in the log.
package replay
