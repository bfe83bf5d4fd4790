// Package simulation holds the test that lets whole clusters live through hours of faults in fake time: see simulation_test.go. It is
// a package of its own so that it runs without the race detector, under which the hours take five times as long; the tests of package
// cluster run the same code under it.
package simulation
