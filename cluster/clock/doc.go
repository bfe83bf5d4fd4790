// Package clock keeps the time with which a leader stamps log entries.
//
// Log time only moves forward, so a stamp from the future cannot be taken back: keys expire, windows end and refills fall due, for
// good. The machine's wall clock is therefore not used as it is. A Guard takes it once, at the start, and carries on with a clock that
// cannot be set. The wall clock may correct that slowly; where the two part by more than the tolerance the wall clock has jumped, or
// stands still, and is left alone until it comes back or the peers' clocks confirm it.
//
// A Guard also judges its own time by that of the peers. What is told to them, and compared, is the guarded time and not the wall
// clock: so a wrong setting that reaches all machines at once moves none of them.
//
// Times are Unix milliseconds. All methods may be called from any goroutine. The package knows no network: who asks the peers, and
// what becomes of a leader whose clock is off, is package cluster's business.
package clock
