// Package simulation holds the test that lets whole clusters live through hours of faults in fake time: see simulation_test.go. It is a
// package of its own so that it runs without the race detector, which would make the hours take five times as long. The tests of package
// cluster run the same code under the race detector.
package simulation
