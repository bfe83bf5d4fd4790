package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitNo     = 3 // the command was executed, and its answer is no
	exitStuck  = 4 // the node ends like this at each start, until somebody does what it says
	exitLacks  = 5 // the root key lacks a permission without which the answer would be wrong
)

// negative is the error of a command whose answer is no: a key that is not valid, a gate that is exceeded.
type negative struct{ error }

// stuck is the error of a node that would end with it again. The unit of the Debian package does not start it again by itself.
type stuck struct{ error }

func (s *stuck) Unwrap() error { return s.error }

// invocation is what one run of a command may see of the process around it.
type invocation struct {
	args           []string // of the command line; once a command runs, its arguments without the flags
	env            func(string) (string, bool)
	now            time.Time
	stdin          io.Reader
	stdout, stderr io.Writer
}

func main() {
	os.Exit(run(invocation{args: os.Args[1:], env: os.LookupEnv, now: time.Now(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}))
}

// run runs the command that the arguments name and returns the exit code.
func run(in invocation) int {
	root := commandTree(in)
	root.SetArgs(withTwoDashes(root, in.args))
	command, err := root.ExecuteC()
	var failed *failure
	switch name := strings.TrimSuffix(command.CommandPath(), " help"); {
	case err == nil:
		return exitDone
	case errors.As(err, &failed):
		fmt.Fprintf(in.stderr, "%s: %v\n", name, failed.error)
		var lacks *lacking
		if errors.As(failed.error, &lacks) {
			return exitLacks
		}
		var no *negative
		if errors.As(failed.error, &no) {
			return exitNo
		}
		var stays *stuck
		if errors.As(failed.error, &stays) {
			return exitStuck
		}
		return exitFailed
	case !errors.Is(err, errHelpShown):
		fmt.Fprintf(in.stderr, "%s: %v\n'creditd help%s' shows the usage.\n", name, err, strings.TrimPrefix(name, "creditd"))
	}
	return exitUsage
}
