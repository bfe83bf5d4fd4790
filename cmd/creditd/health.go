package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "health", short: "ask a node whether it can serve requests",
	long: `Asks a node whether it can serve requests (/readyz), and needs no root key. Exit code 0: it can;
1: it cannot, or does not answer. Of several --addr one that can is enough.`,
	make: func() command { return &healthCommand{} }})

// healthCommand is `creditd health`: the health check of a container, where there is no curl.
type healthCommand struct{ connection }

func (c *healthCommand) check(_ invocation, s *settings.Set) { c.connect(s, "") }

func (c *healthCommand) run(in invocation) error {
	var failed []error
	for _, node := range c.nodes {
		err := node.Ready(context.Background())
		if err == nil {
			_, err = fmt.Fprintln(in.stdout, "ready")
			return err
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
