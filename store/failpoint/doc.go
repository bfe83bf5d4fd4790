// Package failpoint names the moments at which a crash, a delay or an error is most likely to show a mistake, and lets a test
// make them happen there. Only a build with the tag "chaos" has them: without it every call is empty and is compiled away.
//
// A failpoint never changes what a node does by itself. It is armed by the one who runs the process (package main of a chaos
// build), in the form
//
//	NAME=ACTION[@N][+]
//
// where ACTION is kill, exit, panic, error or sleep(DURATION), N is the hit that triggers it (default 1), and + says that every
// later hit does too. Several are separated by blanks, commas or newlines. error only has an effect at points that are asked
// through Fail.
package failpoint
