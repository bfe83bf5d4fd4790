//go:build !race

package launch

// RaceEnabled says whether this program was built with the race detector, so that its tests can build creditd alike.
const RaceEnabled = false
