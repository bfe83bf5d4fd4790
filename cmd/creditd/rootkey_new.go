package main

import (
	"fmt"

	"github.com/creditd/creditd/api/mint"
)

var _ = register(registration{group: "rootkey", use: "new", short: "print a root key for a cluster that does not exist yet",
	long: `Prints a new root key for --root-key-file of the nodes that found a cluster. It asks no node, and no
cluster knows the key before. Write it into a file that only creditd can read:
(umask 077; creditd rootkey new > root.key)`,
	make: func() command { return rootkeyNew{} }})

type rootkeyNew struct{ noSettings }

func (rootkeyNew) run(in invocation) error {
	_, err := fmt.Fprintln(in.stdout, mint.RootKey())
	return err
}
