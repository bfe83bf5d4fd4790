//go:build !chaos

package failpoint

// Hit does nothing in this build.
func Hit(Name) {}

// Fail does nothing in this build.
func Fail(Name) error { return nil }
