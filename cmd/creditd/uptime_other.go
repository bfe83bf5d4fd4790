//go:build !linux

package main

import "time"

// uptime returns a clock that nobody can set. It stands still while the machine sleeps; afterwards the wall clock seems to have
// jumped, until the peers confirm it.
func uptime() func() time.Duration {
	start := time.Now()
	return func() time.Duration { return time.Since(start) }
}
