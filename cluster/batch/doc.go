// Package batch turns the requests that wait on a leader into log entries.
//
// While an entry is being committed, arriving requests queue; when a slot is free, everything that waits (bounded by count and
// bytes) becomes the next entry. There is no timer: a lone request pays for one commit and for nothing else, and under load the
// entries grow by themselves.
//
// Two kinds of request share an entry. A command is one of its calls. A read only waits until an entry that was proposed after
// it arrived has been applied: then the local state is fresh, and stays answerable for (docs/contract.md 7.1). A command that
// would change nothing (see fsm.State.Peek) is treated as a read first, so that a flood of denied verifications grows
// the log by one empty entry a round at most.
//
// Invariants:
//   - Every request that was accepted is answered exactly once, also when the batcher is closed.
//   - A request that was never proposed is answered with a fault that says "not executed"; one whose entry was proposed and whose
//     fate was not learnt, with fault.Unknown.
//   - The queue is bounded; a request that does not fit is refused at once.
//
// Only package cluster uses it, with raft behind the Log interface.
package batch
