package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// invocation is what one run of a command may see of the process around it.
type invocation struct {
	args           []string
	env            func(string) (string, bool)
	stdout, stderr io.Writer
}

// command is one word of the command line.
type command struct {
	name, summary string
	run           func(invocation) int
}

func commands() []command {
	return []command{
		{"dev", "run one node with everything embedded, for development", devCommand},
		{"server", "run a member of a cluster", serverCommand},
		{"cluster", "show the cluster, hand leadership over, remove a node", clusterCommand},
		{"rootkey", "make credentials for the management API", rootkeyCommand},
		{"workspace", "make and show tenants", workspaceCommand},
		{"bench", "put a node under load and measure it", func(in invocation) int {
			return benchCommand(in.args, in.stdout, in.stderr)
		}},
		{"version", "print the version", versionCommand},
	}
}

func main() {
	os.Exit(run(invocation{args: os.Args[1:], env: os.LookupEnv, stdout: os.Stdout, stderr: os.Stderr}))
}

func run(in invocation) int {
	if len(in.args) == 0 {
		printOverview(in.stderr)
		return exitUsage
	}
	name := in.args[0]
	in.args = in.args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		return helpCommand(in)
	case "-version", "--version":
		name = "version"
	}
	return dispatch("creditd", commands(), name, in)
}

// dispatch runs the command called name, or says which ones there are.
func dispatch(parent string, table []command, name string, in invocation) int {
	at := slices.IndexFunc(table, func(c command) bool { return c.name == name })
	if at < 0 {
		var names []string
		for _, c := range table {
			names = append(names, c.name)
		}
		fmt.Fprintf(in.stderr, "%s: unknown command %q; it has %s\n", parent, name, strings.Join(names, ", "))
		return exitUsage
	}
	return table[at].run(in)
}

// subcommands runs a command that only has commands below it.
func subcommands(parent, about string, table []command, in invocation) int {
	if len(in.args) == 0 {
		printTable(in.stderr, parent, about, table)
		return exitUsage
	}
	switch name := in.args[0]; name {
	case "help", "-h", "-help", "--help":
		printTable(in.stdout, parent, about, table)
		return exitDone
	default:
		in.args = in.args[1:]
		return dispatch(parent, table, name, in)
	}
}

// helpCommand shows the overview, or what `creditd COMMAND… --help` shows.
func helpCommand(in invocation) int {
	if len(in.args) == 0 {
		printOverview(in.stdout)
		return exitDone
	}
	if in.args[0] == "help" {
		fmt.Fprintln(in.stdout, "Usage: creditd help [COMMAND…]")
		return exitDone
	}
	name := in.args[0]
	in.args = append(slices.Clone(in.args[1:]), "--help")
	return dispatch("creditd", commands(), name, in)
}

func printOverview(w io.Writer) {
	printTable(w, "creditd", "creditd holds API keys, identities and their credit balances in memory, replicates every\n"+
		"change with Raft, and answers whether a key is valid and may spend its credits.", commands())
	fmt.Fprintln(w, "\nTo begin: creditd dev --demo")
}

func printTable(w io.Writer, parent, about string, table []command) {
	fmt.Fprintf(w, "Usage: %s COMMAND [flags]\n\n%s\n\nCommands:\n", parent, about)
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range table {
		fmt.Fprintf(columns, "  %s\t%s\n", c.name, c.summary)
	}
	_ = columns.Flush()
	fmt.Fprintf(w, "\n'creditd help%s COMMAND' lists the flags of one.\n", strings.TrimPrefix(parent, "creditd"))
}

// finish reports err in the name of a command and returns the exit code.
func finish(in invocation, name string, err error) int {
	if err == nil {
		return exitDone
	}
	var wrong *usageError
	if errors.As(err, &wrong) {
		wrong.print(in.stderr, name)
		return exitUsage
	}
	fmt.Fprintf(in.stderr, "%s: %v\n", name, err)
	return exitFailed
}
