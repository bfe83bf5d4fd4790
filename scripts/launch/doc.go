// Package launch runs creditd nodes as real processes on loopback, for the suites below scripts and for the tests of cmd/creditd. It
// builds the binary, starts nodes, stops or kills them, and starts them again on the same directories and ports.
//
// Everything that a cluster leaves on disk is below the directory that it was given. A process is signalled only through the
// handle that started it.
package launch
