package main

import (
	"context"
	"log/slog"

	"github.com/creditd/creditd/cmd/creditd/internal/certs"
)

// watchFiles loads certificates again when their files change, and at once after SIGHUP.
func (c nodeConfig) watchFiles(ctx context.Context, log *slog.Logger) {
	keepers := []*certs.Keeper{c.http.tls}
	if c.peers != nil {
		keepers = append(keepers, c.peers.Keeper)
	}
	certs.Watch(ctx, log, c.hangup, keepers...)
}
