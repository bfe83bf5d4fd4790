package main

import (
	"fmt"
	"strconv"
	"strings"
)

const configOption = "config"

// fileLine is one setting of a configuration file and where it stands.
type fileLine struct {
	path  string
	line  int
	name  string
	value string
}

func (l fileLine) place() string { return fmt.Sprintf("%s:%d: %s", l.path, l.line, l.name) }

// parseFile reads lines `name = value`. A value that holds # or leading or
// trailing blanks stands in double quotes. known returns nil for a name that
// the command does not have.
func parseFile(path, text string, known func(name string) *option) (settings map[string][]fileLine, problems []string) {
	settings = map[string][]fileLine{}
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		setting, problem := parseLine(line)
		setting.path, setting.line = path, number
		opt := known(setting.name)
		switch {
		case problem != "":
		case opt == nil:
			problem = fmt.Sprintf("no setting is called %q; the names are those of the flags, without the dashes", setting.name)
		case len(settings[setting.name]) > 0 && !opt.many:
			problem = fmt.Sprintf("%s is already set in line %d", setting.name, settings[setting.name][0].line)
		}
		if problem != "" {
			problems = append(problems, fmt.Sprintf("%s:%d: %s", path, number, problem))
			continue
		}
		settings[setting.name] = append(settings[setting.name], setting)
	}
	return settings, problems
}

func parseLine(line string) (fileLine, string) {
	name, value, found := strings.Cut(line, "=")
	if !found {
		return fileLine{}, "a line must read `name = value`"
	}
	setting := fileLine{name: strings.TrimSpace(name), value: strings.TrimSpace(value)}
	switch {
	case strings.HasPrefix(setting.value, `"`):
		unquoted, err := strconv.Unquote(setting.value)
		if err != nil {
			return setting, "the quoted value does not end with its line, or has a bad escape"
		}
		setting.value = unquoted
	case strings.Contains(setting.value, "#"):
		return setting, "a comment stands on a line of its own; a value that holds # stands in double quotes"
	}
	if setting.value == "" {
		return setting, fmt.Sprintf("%s has no value; remove the line, or name one", setting.name)
	}
	return setting, ""
}
