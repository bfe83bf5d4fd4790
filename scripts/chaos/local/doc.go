// Package local runs creditd nodes as real processes on loopback, for scripts and their tests: build the binary once,
// start nodes, kill them with -9, start them again on the same directories and ports.
//
// It knows the command line of creditd and its process, and no endpoint but /readyz. Everything a cluster leaves on
// disk is below the directory it was given. A process is only ever signalled through the handle that started it.
package local
