package main

import (
	"errors"
	"fmt"
	"runtime"
)

// version is set by the linker; see the Makefile.
var version = "v0.0.0-dev"

func versionCommand(in invocation) int {
	o := &options{synopsis: "version", about: "Prints the version of this program, of Go, and the platform."}
	helped, err := o.read(in, 0)
	if err = errors.Join(err, o.err()); helped || err != nil {
		return finish(in, "creditd version", err)
	}
	fmt.Fprintf(in.stdout, "creditd %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return exitDone
}
