// Package batch turns the requests that wait on a leader into log entries.
//
// While an entry is being committed, arriving requests queue. When a slot is free, everything that waits (bounded by count and bytes)
// becomes the next entry. There is no timer: a lone request pays for one commit only, and under load the entries grow by themselves.
//
// Two kinds of request share an entry. A command is one of its calls. A read waits until an entry that was proposed after the read arrived
// has been applied: then the local state is fresh (docs/contract.md 7.1). A command that would change nothing (see fsm.State.Peek) is first
// treated as a read. So a flood of denied verifications, or of refused commands of any size, adds at most one empty entry per round.
//
// Invariants:
//   - Every accepted request is answered exactly once, also when the batcher is closed.
//   - A request that was never proposed gets a fault that says "not executed". A request whose entry was proposed, and whose outcome is
//     not known, gets fault.Unknown.
//   - The queue is bounded. A request that does not fit is refused at once.
//
// Only package propose uses it, with raft behind the Log interface.
package batch
