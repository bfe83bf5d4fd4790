package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// envPrefix precedes the name of every environment variable. Other variables
// with this prefix are not looked at: orchestrators make such names themselves
// (CREDITD_SERVICE_HOST and the like).
const envPrefix = "CREDITD_"

// option is one setting and the places its value can come from.
type option struct {
	name      string // as flag and as key of the file
	short     string // another name of the flag
	env       string
	group     string
	argument  string // how the help text calls the value; empty for a switch
	usage     string
	preset    string // the default in its textual form; empty: none
	many      bool   // may be given more than once
	noFlag    bool   // a secret that must not show in the process list
	noFile    bool
	forbidden string // the flag exists only to say this

	flagged []string // what the command line gave
	origin  origin
	source  string // where the value came from, for messages
	failed  bool
	assign  func(values []string) error
}

// origin is the kind of place a value came from. The larger counts before the smaller.
type origin int

const (
	fromDefault origin = iota
	fromFile
	fromEnv
	fromFlag
)

// Set implements flag.Value. It only collects: a value is read once it is known
// to be the one that counts.
func (o *option) Set(value string) error {
	o.flagged = append(o.flagged, value)
	return nil
}

// String implements flag.Value.
func (o *option) String() string { return "" }

// IsBoolFlag lets a switch stand without a value.
func (o *option) IsBoolFlag() bool { return o.argument == "" && o.forbidden == "" }

// options are the settings of one command.
type options struct {
	synopsis string // the usage line after the program's name
	about    string
	list     []*option
	current  string   // group of the options being declared
	config   string   // the file named by --config, if the command has it
	rest     []string // the arguments that are not flags
	problems []string
}

// usageError is everything that is wrong with a command line and what belongs to it.
type usageError struct{ problems []string }

func (e *usageError) Error() string { return strings.Join(e.problems, "; ") }

func (e *usageError) print(w io.Writer, name string) {
	if len(e.problems) == 1 {
		fmt.Fprintf(w, "%s: %s\n", name, e.problems[0])
	} else {
		fmt.Fprintf(w, "%s: %d things are wrong:\n", name, len(e.problems))
		for _, problem := range e.problems {
			fmt.Fprintf(w, "  - %s\n", problem)
		}
	}
	fmt.Fprintf(w, "'creditd help%s' lists the settings.\n", strings.TrimPrefix(name, "creditd"))
}

func wrongUsage(format string, args ...any) *usageError {
	return &usageError{problems: []string{fmt.Sprintf(format, args...)}}
}

// group starts a paragraph of the help text.
func (o *options) group(title string) { o.current = title }

func (o *options) add(opt option) *option {
	opt.group = o.current
	opt.env = envPrefix + strings.ToUpper(strings.ReplaceAll(opt.name, "-", "_"))
	o.list = append(o.list, &opt)
	return &opt
}

// declare adds an option that holds one value.
func declare[T any](o *options, into *T, name, preset, argument, usage string, parse func(string) (T, error)) *option {
	return o.add(option{name: name, preset: preset, argument: argument, usage: usage, assign: func(values []string) error {
		value, err := parse(values[len(values)-1])
		if err == nil {
			*into = value
		}
		return err
	}})
}

func (o *options) text(into *string, name, preset, argument, usage string) *option {
	return declare(o, into, name, preset, argument, usage, func(raw string) (string, error) { return raw, nil })
}

func (o *options) address(into *string, name, preset, usage string) *option {
	return declare(o, into, name, preset, "HOST:PORT", usage, parseAddress)
}

func (o *options) duration(into *time.Duration, name string, preset, least time.Duration, usage string) *option {
	return declare(o, into, name, shortDuration(preset), "DURATION", usage, func(raw string) (time.Duration, error) {
		value, err := time.ParseDuration(raw)
		if err != nil {
			return 0, errors.New("not a duration; write it like 500ms, 5s or 2m")
		}
		if value < least {
			return 0, fmt.Errorf("too short; at least %s", shortDuration(least))
		}
		return value, nil
	})
}

func (o *options) count(into *uint64, name string, preset, least uint64, usage string) *option {
	return declare(o, into, name, strconv.FormatUint(preset, 10), "N", usage, func(raw string) (uint64, error) {
		value, err := strconv.ParseUint(raw, 10, 63)
		if err != nil {
			return 0, errors.New("not a whole number")
		}
		if value < least {
			return 0, fmt.Errorf("too small; at least %d", least)
		}
		return value, nil
	})
}

func (o *options) choice(into *string, name, preset string, choices []string, usage string) *option {
	return declare(o, into, name, preset, strings.Join(choices, "|"), usage, func(raw string) (string, error) {
		if !slices.Contains(choices, raw) {
			return "", fmt.Errorf("unknown; one of %s", strings.Join(choices, ", "))
		}
		return raw, nil
	})
}

func (o *options) toggle(into *bool, name, usage string) *option {
	return declare(o, into, name, "", "", usage, func(raw string) (bool, error) {
		value, err := strconv.ParseBool(raw)
		if err != nil {
			return false, errors.New("neither true nor false")
		}
		return value, nil
	})
}

// items adds an option that may be repeated; each occurrence may also hold
// several values with commas between them.
func (o *options) items(into *[]string, name, argument, usage string, check func(string) error) *option {
	return o.add(option{name: name, argument: argument, usage: usage, many: true, assign: func(values []string) error {
		var all []string
		for _, value := range values {
			for item := range strings.SplitSeq(value, ",") {
				if item = strings.TrimSpace(item); item == "" {
					continue
				}
				if err := check(item); err != nil {
					return fmt.Errorf("%q: %w", item, err)
				}
				all = append(all, item)
			}
		}
		*into = all
		return nil
	}})
}

// read reads the command line, the environment and the file, and assigns every
// option the first value found in that order. Beside the flags there may be at
// most so many arguments. helped means that help was asked for, and given.
// Values that do not fit are noted: see err.
func (o *options) read(in invocation, most int) (helped bool, err error) {
	if err := o.readFlags(in.args); errors.Is(err, flag.ErrHelp) {
		o.printHelp(in.stdout)
		return true, nil
	} else if err != nil {
		return false, err
	}
	if len(o.rest) > most {
		o.problems = append(o.problems, fmt.Sprintf("unexpected argument %q", o.rest[most]))
	}
	file := o.readFile(in.env)
	for _, opt := range o.list {
		if opt.name != configOption {
			o.settle(opt, in.env, file)
		}
	}
	return false, nil
}

func (o *options) readFlags(args []string) error {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	for _, opt := range o.list {
		if !opt.noFlag {
			set.Var(opt, opt.name, opt.usage)
			if opt.short != "" {
				set.Var(opt, opt.short, opt.usage)
			}
		}
	}
	for {
		if err := set.Parse(args); errors.Is(err, flag.ErrHelp) {
			return err
		} else if err != nil {
			return wrongUsage("%v", err)
		}
		if set.NArg() == 0 {
			return nil
		}
		o.rest, args = append(o.rest, set.Arg(0)), set.Args()[1:] // flags may follow
	}
}

// readFile reads the file that --config or its variable names.
func (o *options) readFile(env func(string) (string, bool)) map[string][]fileLine {
	at := slices.IndexFunc(o.list, func(opt *option) bool { return opt.name == configOption })
	if at < 0 {
		return nil
	}
	opt := o.list[at]
	o.settle(opt, env, nil)
	if o.config == "" {
		return nil
	}
	data, err := os.ReadFile(o.config)
	if err != nil {
		o.reject(opt, "the configuration file cannot be read: %v", err)
		return nil
	}
	file, problems := parseFile(o.config, string(data), o.fileOption)
	o.problems = append(o.problems, problems...)
	return file
}

func (o *options) fileOption(name string) *option {
	for _, opt := range o.list {
		if opt.name == name && !opt.noFile && opt.forbidden == "" {
			return opt
		}
	}
	return nil
}

// settle finds the value of one option and assigns it.
func (o *options) settle(opt *option, env func(string) (string, bool), file map[string][]fileLine) {
	opt.source = "--" + opt.name
	if opt.noFlag {
		opt.source = opt.env
	}
	if opt.forbidden != "" {
		if len(opt.flagged) > 0 {
			o.reject(opt, "%s", opt.forbidden)
		}
		return
	}
	values := o.find(opt, env, file[opt.name])
	if len(values) == 0 {
		return
	}
	err := opt.assign(values)
	switch {
	case err != nil && opt.many:
		o.reject(opt, "%v", err)
	case err != nil:
		o.reject(opt, "%q: %v", values[len(values)-1], err)
	}
}

// find returns what the first place that has the option says. Of a flag that is
// repeated and holds one value the last counts, so a script can append its own.
func (o *options) find(opt *option, env func(string) (string, bool), lines []fileLine) (values []string) {
	if len(opt.flagged) > 0 {
		opt.origin = fromFlag
		return opt.flagged
	}
	// An empty variable is how deployment tools spell "not set".
	if value, _ := env(opt.env); value != "" {
		opt.origin, opt.source = fromEnv, opt.env
		return []string{value}
	}
	if len(lines) > 0 {
		opt.origin, opt.source = fromFile, lines[0].place()
		for _, line := range lines {
			values = append(values, line.value)
		}
		return values
	}
	if opt.preset != "" {
		return []string{opt.preset}
	}
	return nil
}

func (o *options) option(name string) *option {
	return o.list[slices.IndexFunc(o.list, func(opt *option) bool { return opt.name == name && opt.forbidden == "" })]
}

// reject notes a problem with the value of an option.
func (o *options) reject(opt *option, format string, args ...any) {
	opt.failed = true
	o.problems = append(o.problems, opt.source+": "+fmt.Sprintf(format, args...))
}

// refuse notes a problem that shows only when values are looked at together.
func (o *options) refuse(name, format string, args ...any) {
	o.reject(o.option(name), format, args...)
}

// fine reports that none of the options has been found wrong, so a relation
// between them can be judged.
func (o *options) fine(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return o.option(name).failed })
}

// err returns all problems found, or nil.
func (o *options) err() error {
	if len(o.problems) == 0 {
		return nil
	}
	return &usageError{problems: o.problems}
}

func (o *options) printHelp(w io.Writer) {
	fmt.Fprintf(w, "Usage: creditd %s\n\n%s\n", o.synopsis, o.about)
	group := ""
	for _, opt := range o.list {
		if opt.forbidden != "" {
			continue
		}
		if opt.group != group {
			group = opt.group
			fmt.Fprintf(w, "\n%s:\n", group)
		}
		fmt.Fprintf(w, "  %s\n", opt.heading())
		for _, line := range wrapped(opt.usage+opt.notes(), helpWidth-8) {
			fmt.Fprintf(w, "        %s\n", line)
		}
	}
	if slices.ContainsFunc(o.list, func(opt *option) bool { return opt.name == configOption }) {
		fmt.Fprint(w, "\nA flag counts before its variable, the variable before the file. The file has lines\n"+
			"`name = value` with the names of the flags; a line that starts with # is a comment.\n")
	}
}

// helpWidth is how wide a line of help may be.
const helpWidth = 100

// wrapped breaks text into lines of at most width characters, at blanks.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func (opt *option) heading() string {
	if opt.noFlag {
		return opt.env
	}
	heading := "--" + opt.name
	if opt.short != "" {
		heading = "-" + opt.short + ", " + heading
	}
	if opt.argument != "" {
		heading += " " + opt.argument
	}
	return heading
}

func (opt *option) notes() string {
	var notes []string
	if opt.many {
		notes = append(notes, "repeatable or with commas")
	}
	if opt.preset != "" {
		notes = append(notes, "default "+opt.preset)
	}
	if !opt.noFlag {
		notes = append(notes, opt.env)
	}
	if len(notes) == 0 {
		return ""
	}
	return " (" + strings.Join(notes, "; ") + ")"
}

// shortDuration writes 5s for what Duration.String writes as 5s, and 2m for 2m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
