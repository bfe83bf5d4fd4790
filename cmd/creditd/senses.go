package main

import "time"

// senses are what a node learns from its machine that a test must be able to falsify: see chaos.go.
type senses struct {
	now func() time.Time // the wall clock
}
