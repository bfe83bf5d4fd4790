package settings

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

const configName = "config"

// ConfigFile adds --config, which names a file with further values. The file cannot name another.
func (s *Set) ConfigFile() {
	s.Text(&s.config, configName, "FILE", "read settings from lines NAME = VALUE, with the names of the flags; # begins a comment line")
}

// line is one setting of a configuration file and where it stands.
type line struct {
	path   string
	number int
	name   string
	value  string
}

func (l line) place() string { return fmt.Sprintf("%s:%d: %s", l.path, l.number, l.name) }

// readFile reads the file that --config or its variable names.
func (s *Set) readFile(env func(string) (string, bool)) map[string][]line {
	at := slices.IndexFunc(s.list, func(o *setting) bool { return o.name == configName })
	if at < 0 {
		return nil
	}
	s.settle(s.list[at], env, nil)
	if s.config == "" {
		return nil
	}
	data, err := os.ReadFile(s.config)
	if err != nil {
		s.note(s.list[at], fmt.Sprintf("the configuration file cannot be read: %v", err))
		return nil
	}
	return s.parseFile(s.config, string(data))
}

// parseFile reads lines `name = value`. A value that holds # or leading or trailing blanks stands in double quotes.
func (s *Set) parseFile(path, text string) map[string][]line {
	found, number := map[string][]line{}, 0
	for raw := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		raw = strings.TrimSpace(raw)
		if raw == "" || strings.HasPrefix(raw, "#") {
			continue
		}
		l, problem := parseLine(raw)
		l.path, l.number = path, number
		at := slices.IndexFunc(s.list, func(o *setting) bool { return o.name == l.name && l.name != configName })
		switch {
		case problem != "":
		case at < 0:
			problem = fmt.Sprintf("no setting is called %q; the names are those of the flags, without the dashes", l.name)
		case len(found[l.name]) > 0 && !s.list[at].many:
			problem = fmt.Sprintf("%s is already set in line %d", l.name, found[l.name][0].number)
		}
		if problem != "" {
			s.Note("%s:%d: %s", path, number, problem)
			continue
		}
		found[l.name] = append(found[l.name], l)
	}
	return found
}

func parseLine(raw string) (line, string) {
	name, value, found := strings.Cut(raw, "=")
	if !found {
		return line{}, "a line must read `name = value`"
	}
	l := line{name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
	switch {
	case strings.HasPrefix(l.value, `"`):
		unquoted, err := strconv.Unquote(l.value)
		if err != nil {
			return l, "the quoted value does not end with its line, or has a bad escape"
		}
		l.value = unquoted
	case strings.Contains(l.value, "#"):
		return l, "a comment stands on a line of its own; a value that holds # stands in double quotes"
	}
	if l.value == "" {
		return l, fmt.Sprintf("%s has no value; remove the line, or name one", l.name)
	}
	return l, ""
}
