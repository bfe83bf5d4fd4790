package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// uptime returns a clock that nobody can set. Linux has one that goes on while the machine sleeps.
func uptime() func() time.Duration {
	start := time.Now()
	return func() time.Duration {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
			return time.Since(start) // a kernel without it has none at any time
		}
		return time.Duration(now.Nano())
	}
}
