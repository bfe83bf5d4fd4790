package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// senses are what a node learns from its machine that a test must be able to falsify: see chaos.go.
type senses struct {
	now  func() time.Time                 // the wall clock
	free func(dir string) (uint64, error) // the space left on dir's file system
}

// parseSize reads a number of bytes with an optional unit.
func parseSize(raw string) (uint64, error) {
	number, shift := raw, 0
	for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if cut, found := strings.CutSuffix(raw, unit); found {
			number, shift = strings.TrimSpace(cut), 10*(i+1)
		}
	}
	value, err := strconv.ParseUint(number, 10, 62-shift)
	if err != nil {
		return 0, errors.New("not a size; write it like 256MiB or 2GiB, or as a number of bytes")
	}
	return value << shift, nil
}
