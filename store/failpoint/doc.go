// Package failpoint names the points where a crash, a delay or an error is most likely to reveal a mistake. A test can cause one there.
// Only builds with the tag "chaos" have failpoints. In other builds every call is empty and is compiled away.
//
// A failpoint does nothing until package main of a chaos build arms it, in the form
//
//	NAME=ACTION[@N][+]
//
// where ACTION is kill, exit, panic, error or sleep(DURATION), N is the hit that triggers it (default 1), and + means that every
// later hit triggers it too. Separate several with blanks, commas or newlines. error has an effect only at calls of Fail.
package failpoint
