package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

// command is one command of creditd. bind declares its settings; check looks at them together and notes what does not fit.
// run is called only if nothing was noted.
type command interface {
	bind(*settings.Set)
	check(invocation, *settings.Set)
	run(invocation) error
}

// registration is a command and the words that describe it.
type registration struct {
	group       string // the words before its own, if any
	use         string // its word and its arguments in capitals; brackets mark what may be left out
	short, long string
	make        func() command // nil: a group, which only has commands below it
}

// registry holds every command. Each adds itself, beside its implementation.
var registry []registration

func register(r registration) struct{} {
	registry = append(registry, r)
	return struct{}{}
}

const about = `creditd holds API keys, identities and their credit balances in memory, replicates every
change with Raft, and answers whether a key is valid and may spend its credits.

To begin: creditd dev --demo`

// helpWidth is how wide a line of help may be.
const helpWidth = 100

// errHelpShown ends a run whose only mistake was to name no command.
var errHelpShown = errors.New("help was shown")

// commandTree builds the command line, anew for each invocation. It sets no template of cobra: with text/template in the
// program, the linker drops no unused method, and the program grows by a third.
func commandTree(in invocation) *cobra.Command {
	root := newGroup(registration{use: "creditd", long: about})
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetOut(in.stdout)
	root.SetErr(in.stderr)
	root.SetHelpCommand(newHelp())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return wrongFlag(err) })
	groups := map[string]*cobra.Command{"": root}
	for _, r := range registry {
		if r.make == nil {
			groups[strings.TrimSpace(r.group+" "+r.use)] = newGroup(r)
		}
	}
	for _, r := range registry {
		if r.make == nil {
			groups[r.group].AddCommand(groups[strings.TrimSpace(r.group+" "+r.use)])
		}
	}
	for _, r := range registry {
		if r.make != nil {
			groups[r.group].AddCommand(newLeaf(r, in))
		}
	}
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "print the completion script of a shell"
			demandCommand(c)
		}
	}
	return root
}

// newGroup returns a command that only has commands below it.
func newGroup(r registration) *cobra.Command {
	group := &cobra.Command{Use: r.use, Short: r.short, Long: r.long}
	demandCommand(group)
	return group
}

// demandCommand makes a group refuse what is none of its commands. Alone it shows its help.
func demandCommand(group *cobra.Command) {
	group.Args, group.ValidArgsFunction = cobra.ArbitraryArgs, cobra.NoFileCompletions
	group.SetUsageFunc(printCommands)
	group.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && args[0] == "help":
			return c.Help()
		case len(args) > 0:
			return unknownCommand(c, args[0])
		}
		c.SetOut(c.ErrOrStderr())
		return errors.Join(c.Help(), errHelpShown)
	}
}

// printCommands is the usage of a group. Commands of cobra below it inherit it.
func printCommands(c *cobra.Command) error {
	if !c.HasSubCommands() {
		_, err := fmt.Fprintf(c.OutOrStderr(), "Usage:\n  %s\n\n%s", c.UseLine(), c.Flags().FlagUsagesWrapped(helpWidth))
		return err
	}
	columns := tabwriter.NewWriter(c.OutOrStderr(), 0, 0, 3, ' ', 0)
	fmt.Fprintf(columns, "Usage:\n  %s COMMAND\n\nCommands:\n", c.CommandPath())
	for _, below := range c.Commands() {
		if below.IsAvailableCommand() {
			fmt.Fprintf(columns, "  %s\t%s\n", below.Name(), below.Short)
		}
	}
	fmt.Fprintf(columns, "\n'%s' shows the settings of one.\n", strings.Replace(c.CommandPath()+" COMMAND", "creditd", "creditd help", 1))
	return columns.Flush()
}

func unknownCommand(parent *cobra.Command, name string) error {
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return wrongUsage("unknown command %q; it has %s", name, strings.Join(names, ", "))
}

// newLeaf returns a command that does something.
func newLeaf(r registration, in invocation) *cobra.Command {
	leaf := &cobra.Command{Use: r.use, Short: r.short, Long: r.long, Args: cobra.ArbitraryArgs, ValidArgsFunction: cobra.NoFileCompletions}
	set, made := settings.New(leaf), r.make()
	made.bind(set)
	leaf.SetUsageFunc(func(c *cobra.Command) error {
		_, err := fmt.Fprintf(c.OutOrStderr(), "Usage:\n  %s\n%s", c.UseLine(), set.Usages(helpWidth))
		return err
	})
	leaf.RunE = func(_ *cobra.Command, args []string) error {
		in := in
		in.args = args
		checkArguments(r.use, args, set)
		set.Resolve(in.env)
		made.check(in, set)
		if err := set.Err(); err != nil {
			return err
		}
		for _, warning := range set.Warnings() {
			fmt.Fprintf(in.stderr, "creditd: warning: %s\n", warning)
		}
		if err := made.run(in); err != nil {
			return &failure{err}
		}
		return nil
	}
	return leaf
}

// failure is the error of a command that was used rightly.
type failure struct{ error }

// checkArguments compares the arguments with those that use names.
func checkArguments(use string, args []string, set *settings.Set) {
	names := strings.Fields(use)[1:]
	for i, name := range names {
		if i >= len(args) && !strings.HasPrefix(name, "[") {
			set.Note("the argument %s is missing", name)
		}
	}
	if len(args) > len(names) {
		set.Note("unexpected argument %q", args[len(names)])
	}
}

// newHelp returns `creditd help [COMMAND…]`.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND…]", Short: "show the help of a command", Long: "Shows the help of a command.",
		RunE: func(c *cobra.Command, args []string) error {
			named, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(named, rest[0])
			}
			named.InitDefaultHelpFlag()
			return named.Help()
		},
	}
}

// withTwoDashes lets a long flag stand behind a single dash, as earlier versions did, and --version for the command.
func withTwoDashes(root *cobra.Command, args []string) []string {
	if len(args) > 0 && (args[0] == "--version" || args[0] == "-version") {
		return append([]string{"version"}, args[1:]...)
	}
	known := map[string]bool{"help": true}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		for _, below := range c.Commands() {
			visit(below)
		}
	}
	visit(root)
	fixed := make([]string, len(args))
	for i, arg := range args {
		if arg == "--" {
			copy(fixed[i:], args[i:])
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if fixed[i] = arg; known[name] && len(name) > 1 && arg[0] == '-' {
			fixed[i] = "-" + arg
		}
	}
	return fixed
}

// wrongFlag writes an unknown long flag with two dashes, as it is meant, even if it stood behind one. pflag takes that for letters.
func wrongFlag(err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if name, _, _ := strings.Cut(unknown.GetSpecifiedShortnames(), "="); len(name) > 1 {
			return wrongUsage("unknown flag: --%s", name)
		}
	}
	return wrongUsage("%v", err)
}

func wrongUsage(format string, args ...any) error {
	return &settings.UsageError{Problems: []string{fmt.Sprintf(format, args...)}}
}

// noSettings is embedded by commands without settings.
type noSettings struct{}

func (noSettings) bind(*settings.Set)              {}
func (noSettings) check(invocation, *settings.Set) {}
