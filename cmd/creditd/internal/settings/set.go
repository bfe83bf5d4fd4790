package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// envPrefix precedes the name of every environment variable. Other variables with this prefix are ignored:
// orchestrators make such names themselves (CREDITD_SERVICE_HOST and the like).
const envPrefix = "CREDITD_"

// Origin is the kind of source that a value comes from. The larger counts before the smaller.
type Origin int

// The origins.
const (
	Default Origin = iota
	File
	Env
	Flag
)

// Set holds the settings of one command.
type Set struct {
	command  *cobra.Command
	list     []*setting
	group    string
	config   string // the file named by --config
	problems []string
	warnings []string
}

// setting is one setting. It implements pflag.Value.
type setting struct {
	name, argument, initial string
	env, group              string
	many                    bool
	refusal                 string   // why the flag may not be used; empty: it may
	formerly                *setting // the setting under the name that it had before; nil: there is none
	assign                  func(values []string) error

	usage string

	flagged []string // what the command line gave
	values  []string // what the source that counts gave; nil: the default holds
	origin  Origin
	source  string // for messages
	failed  bool
}

// Set only collects: a value is parsed once it is known to be the one that counts.
func (o *setting) Set(value string) error {
	o.flagged = append(o.flagged, value)
	return nil
}

func (o *setting) String() string { return o.initial }

// Type is how the help text calls the value; a switch has none.
func (o *setting) Type() string {
	if o.argument == "" {
		return "bool"
	}
	return o.argument
}

// New returns the settings of a command, none yet.
func New(command *cobra.Command) *Set {
	command.Flags().SortFlags = false
	return &Set{command: command}
}

// Group begins a paragraph of the help text.
func (s *Set) Group(title string) { s.group = title }

// add declares the flag, and what a shell completes its value with. A name like "output,o" has a flag of one letter as well.
func (s *Set) add(o *setting, usage string, choices ...string) {
	var short string
	o.name, short, _ = strings.Cut(o.name, ",")
	o.env = envPrefix + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
	o.group, o.usage = s.group, usage
	s.list = append(s.list, o)
	flag := s.command.Flags().VarPF(o, o.name, short, usage+" ["+o.env+"]")
	switch o.argument {
	case "":
		flag.NoOptDefVal = "true"
	case "FILE": // the shell completes files by itself
	case "DIR":
		_ = s.command.MarkFlagDirname(o.name) // the flag exists
	default:
		_ = s.command.RegisterFlagCompletionFunc(o.name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
	}
}

// Usages returns the help text of the flags, group by group.
func (s *Set) Usages(width int) string {
	var text strings.Builder
	for rest := s.list; len(rest) > 0; {
		group := pflag.NewFlagSet("", pflag.ContinueOnError)
		group.SortFlags = false
		title := rest[0].group
		for len(rest) > 0 && rest[0].group == title {
			group.AddFlag(s.command.Flags().Lookup(rest[0].name))
			rest = rest[1:]
		}
		fmt.Fprintf(&text, "\n%s:\n%s", title, group.FlagUsagesWrapped(width))
	}
	return text.String()
}

// Resolve finds the value of every setting and assigns it. What does not fit is noted: see Err.
func (s *Set) Resolve(env func(string) (string, bool)) {
	lines := s.readFile(env)
	for _, o := range s.list {
		if o.name != configName {
			s.settle(o, env, lines[o.name])
		}
	}
	for _, o := range s.list {
		if o.formerly != nil {
			s.adopt(o)
		}
	}
}

// settle finds the value of one setting and assigns it.
func (s *Set) settle(o *setting, env func(string) (string, bool), lines []line) {
	o.source = "--" + o.name
	if o.refusal != "" {
		if o.source = o.env; len(o.flagged) > 0 {
			o.source = "--" + o.name
			s.note(o, o.refusal)
			return
		}
	}
	if o.values = o.find(env, lines); len(o.values) == 0 {
		return
	}
	if o.assign == nil {
		return // a former name
	}
	if err := o.assign(o.values); err != nil {
		s.note(o, err.Error())
	}
}

// find returns what the first source that has the setting says.
func (o *setting) find(env func(string) (string, bool), lines []line) (values []string) {
	if len(o.flagged) > 0 {
		o.origin = Flag
		return o.flagged
	}
	// An empty variable is how deployment tools spell "not set".
	if value, _ := env(o.env); value != "" {
		o.origin, o.source = Env, o.env
		return []string{value}
	}
	for _, l := range lines {
		o.origin, o.source = File, lines[0].place()
		values = append(values, l.value)
	}
	return values
}

// Formerly gives the setting that was bound last the name that it had before, as well. The help text does not show it.
func (s *Set) Formerly(name string) {
	now := s.list[len(s.list)-1]
	now.formerly = &setting{name: name, argument: now.argument}
	s.add(now.formerly, "the former name of --"+now.name)
	s.command.Flags().Lookup(name).Hidden = true
}

// adopt takes what stands under the former name of a setting.
func (s *Set) adopt(o *setting) {
	old := o.formerly
	switch {
	case old.origin == Default:
	case o.origin == Default:
		o.origin, o.source, o.values = old.origin, old.source, old.values
		if err := o.assign(old.values); err != nil {
			s.note(o, err.Error())
		}
	case !slices.Equal(o.values, old.values):
		s.note(o, fmt.Sprintf("%s is the former name of this setting and says something else; use one of the two", old.source))
	}
}

func (s *Set) lookup(name string) *setting {
	return s.list[slices.IndexFunc(s.list, func(o *setting) bool { return o.name == name })]
}

// Source returns where the value of a setting comes from, and what messages call that place.
func (s *Set) Source(name string) (Origin, string) {
	o := s.lookup(name)
	return o.origin, o.source
}

// Fine reports that none of the settings was found wrong, so a relation between them may be checked.
func (s *Set) Fine(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return s.lookup(name).failed })
}

// Refuse notes a problem with the value of a setting, beside its source.
func (s *Set) Refuse(name, format string, args ...any) {
	s.note(s.lookup(name), fmt.Sprintf(format, args...))
}

func (s *Set) note(o *setting, problem string) {
	o.failed = true
	s.Note("%s: %s", o.source, problem)
}

// Warn notes that the value of a setting works and is not wise.
func (s *Set) Warn(name, format string, args ...any) {
	s.warnings = append(s.warnings, s.lookup(name).source+": "+fmt.Sprintf(format, args...))
}

// Warnings returns what Warn noted.
func (s *Set) Warnings() []string { return s.warnings }

// Note notes a problem that belongs to no setting.
func (s *Set) Note(format string, args ...any) {
	s.problems = append(s.problems, fmt.Sprintf(format, args...))
}

// Err returns a UsageError with everything that was noted, or nil.
func (s *Set) Err() error {
	if len(s.problems) == 0 {
		return nil
	}
	return &UsageError{Problems: s.problems}
}

// UsageError is everything that is wrong with a command line and with what belongs to it.
type UsageError struct{ Problems []string }

func (e *UsageError) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0]
	}
	return fmt.Sprintf("%d things are wrong:\n  - %s", len(e.Problems), strings.Join(e.Problems, "\n  - "))
}
