package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra/doc"
)

var _ = register(registration{use: "man DIR", short: "write the manual pages",
	long: `Writes one manual page for each command into DIR, which is made if it does not exist. With MANPATH
set to the parent of a directory man1, 'man creditd-server' shows a page.`,
	make: func() command { return manCommand{} }})

type manCommand struct{ noSettings }

func (manCommand) run(in invocation) error {
	dir := in.args[0]
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := doc.GenManTree(commandTree(in), &doc.GenManHeader{Section: "1", Source: "creditd " + version, Manual: "creditd"}, dir); err != nil {
		return fmt.Errorf("writing the manual pages: %w", err)
	}
	return nil
}
