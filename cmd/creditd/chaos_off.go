//go:build !chaos

package main

import (
	"log/slog"
	"time"

	"github.com/creditd/creditd/store"
)

// injectFaults returns the machine as it is. Only a build with the tag "chaos" can falsify it.
func injectFaults(nodeConfig, *slog.Logger) (host, error) {
	return host{now: time.Now, free: store.FreeBytes}, nil
}
