//go:build !chaos

package main

import (
	"log/slog"
	"time"

	"github.com/creditd/creditd/store"
)

// plantFaults returns what a node senses of its machine. Only a build with the tag "chaos" can be made to sense something else.
func plantFaults(nodeConfig, *slog.Logger) (senses, error) {
	return senses{now: time.Now, free: store.FreeBytes}, nil
}
