// Package wire is the HTTP client of the crash runs. Its one purpose beyond calling endpoints is to know, for every
// call, whether it was executed: yes, no, or unknown. It repeats nothing on its own, which an ordinary HTTP client
// does behind the caller's back.
package wire
