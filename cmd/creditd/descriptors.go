package main

import "golang.org/x/sys/unix"

const (
	// mostConnections is the default where descriptors are plenty: more would cost memory for nothing.
	mostConnections = 10_000
	// reservedDescriptors are kept for the store, the peer port, gossip and files; half of all if there are few.
	reservedDescriptors = 512
)

// descriptors returns how many files and connections this process may have open. Go has raised the limit as far as the system allows when
// the program began.
func descriptors() (uint64, error) {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return limit.Cur, err
}

// connectionsWithin is how many HTTP connections fit beside the reserve.
func connectionsWithin(descriptors uint64) uint64 {
	return descriptors - min(descriptors/2, reservedDescriptors)
}
