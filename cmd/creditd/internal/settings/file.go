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
	s.Text(&s.config, configName, "FILE", "read settings from this file, with the names of the flags: YAML (name: value) if it ends in .yaml or .yml, else lines NAME = VALUE; # begins a comment")
}

// line is one value of a configuration file and where it stands.
type line struct {
	path    string
	number  int
	entry   int // the line of the name: the values of one sequence share it; 0: the line itself
	name    string
	value   string
	problem string // empty: none so far
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

// parseFile reads a configuration file, notes what is wrong with its lines, and returns the others by name.
func (s *Set) parseFile(path, text string) map[string][]line {
	text = strings.TrimPrefix(text, "\ufeff")
	var lines []line
	if isYAML(path) {
		lines = s.parseYAML(path, text)
	} else {
		lines = parseLines(path, text)
	}
	found := map[string][]line{}
	for _, l := range lines {
		at := slices.IndexFunc(s.list, func(o *setting) bool { return o.name == l.name && l.name != configName })
		switch earlier := found[l.name]; {
		case l.problem != "":
		case at < 0:
			l.problem = fmt.Sprintf("no setting is called %q; the names are those of the flags, without the dashes", l.name)
		case len(earlier) > 0 && !s.list[at].many && earlier[0].entry == l.entry && l.entry > 0:
			l.problem = l.name + " takes one value"
		case len(earlier) > 0 && !s.list[at].many:
			l.problem = fmt.Sprintf("%s is already set in line %d", l.name, earlier[0].number)
		}
		if l.problem != "" {
			s.Note("%s:%d: %s", path, l.number, l.problem)
			continue
		}
		found[l.name] = append(found[l.name], l)
	}
	return found
}

// parseLines reads lines `name = value`. A value that holds # or leading or trailing blanks stands in double quotes.
func parseLines(path, text string) []line {
	var lines []line
	number := 0
	for raw := range strings.Lines(text) {
		number++
		if raw = strings.TrimSpace(raw); raw == "" || strings.HasPrefix(raw, "#") {
			continue
		}
		l := parseLine(raw)
		l.path, l.number = path, number
		lines = append(lines, l)
	}
	return lines
}

func parseLine(raw string) (l line) {
	name, value, found := strings.Cut(raw, "=")
	if !found {
		l.problem = "a line must read `name = value`"
		return l
	}
	l.name, l.value = strings.TrimSpace(name), strings.TrimSpace(value)
	switch {
	case strings.HasPrefix(l.value, `"`):
		unquoted, err := strconv.Unquote(l.value)
		if err != nil {
			l.problem = "the quoted value does not end with its line, or has a bad escape"
			return l
		}
		l.value = unquoted
	case strings.Contains(l.value, "#"):
		l.problem = "a comment stands on a line of its own; a value that holds # stands in double quotes"
		return l
	}
	if l.value == "" {
		l.problem = fmt.Sprintf("%s has no value; remove the line, or name one", l.name)
	}
	return l
}
