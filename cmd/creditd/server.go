package main

import (
	"context"
	"fmt"
	"time"

	"github.com/creditd/creditd/api/mint"
)

func serverCommand(in invocation) int {
	const name = "creditd server"
	conf, helped, err := parseServer(in, time.Now())
	if helped || err != nil {
		return finish(in, name, err)
	}
	made := conf.rootKey == ""
	if made {
		conf.rootKey = mint.RootKey()
	}
	log := conf.log.logger(in)
	if !isLoopback(conf.httpAddr) {
		log.Info("HTTP is not encrypted: let clients on other machines connect through TLS", "http", conf.httpAddr)
	}
	ctx, stop := untilSignal(in)
	defer stop()
	return finish(in, name, runNode(ctx, conf, log, func(ctx context.Context, r *running) error {
		if r.awaitReady(ctx, log) != nil {
			return nil // it was told to stop first
		}
		log.Info("ready")
		if made && r.member.Founded() {
			fmt.Fprintf(in.stdout, "root key of the new cluster, shown only now: %s\n", conf.rootKey)
		}
		return nil
	}))
}
