// Package replay checks a record against the order of the log. The answered operations of each balance are put in the order of
// their Creditd-Index and carried out again, one after the other, by an implementation too small to be wrong; each must get the
// answer it got. It is pure: operations and final balances in, violations out.
//
// Operations may share an entry: some order of them must fit. A denial shows a balance from within its entry or from its end, a
// read the one at the end. An operation of unknown outcome may have taken effect at any moment after it was sent, or never: the
// replay follows every possibility, and the answers after it leave those that can be true. What takes too long to decide is
// counted as undecided; every violation is one.
package replay
