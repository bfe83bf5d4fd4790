package main

import "time"

// host is what a node reads from its machine. Tests replace it: see chaos.go.
type host struct {
	now  func() time.Time                 // wall clock
	free func(dir string) (uint64, error) // free bytes on the file system of dir
}
