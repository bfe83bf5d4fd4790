// Package clock keeps the time with which a leader stamps log entries.
//
// Log time only moves forward, so a stamp from the future cannot be taken back: keys expire, windows end and refills fall due
// permanently. So a Guard does not use the machine's wall clock as it is. It reads the wall clock once, at the start, and continues
// with a clock that cannot be set. The wall clock may correct that time slowly. If the two differ by more than the tolerance, the wall
// clock jumped or stands still. The Guard then ignores it until it comes back or the peers' clocks confirm it.
//
// A Guard also compares its own time with the peers' times. Nodes report and compare the guarded time, not the wall clock: a wrong
// setting that reaches all machines at once moves none of them.
//
// Times are Unix milliseconds. All methods may be called from any goroutine. The package knows no network: package fitness asks the
// peers and decides what a leader with a wrong clock does.
package clock
