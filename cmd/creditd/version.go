package main

import (
	"fmt"
	"runtime"
)

// version is set by the linker; see the Makefile.
var version = "v0.0.0-dev"

func versionLine() string {
	return fmt.Sprintf("creditd %s %s %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

var _ = register(registration{use: "version", short: "print the version",
	long: "Prints the version of this program, of Go, and the platform.",
	make: func() command { return versionCommand{} }})

type versionCommand struct{ noSettings }

func (versionCommand) run(in invocation) error {
	_, err := fmt.Fprintln(in.stdout, versionLine())
	return err
}
