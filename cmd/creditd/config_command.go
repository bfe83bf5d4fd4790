package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{use: "config", short: "check and show the settings of a node"})

var _ = register(registration{group: "config", use: "check", short: "check settings as 'creditd server' would, and start nothing",
	long: `Takes what 'creditd server' takes, from the same flags, variables and file, and checks all of it,
with the files that it names. Nothing is started or changed. Exit code 0: a node would start so.`,
	make: func() command { return &configCheck{serverCommand: newServer()} }})

var _ = register(registration{group: "config", use: "show", short: "show every setting and where its value comes from",
	long: `Takes what 'creditd server' takes, and shows every setting with its value and where the value comes
from, as a file that --config reads. Secrets are not shown.`,
	make: func() command { return &configShow{serverCommand: newServer()} }})

// configCheck is `creditd config check`.
type configCheck struct{ *serverCommand }

func (c *configCheck) run(in invocation) error {
	_, err := fmt.Fprintln(in.stdout, "the settings are good")
	return err
}

// configShow is `creditd config show`.
type configShow struct{ *serverCommand }

func (c *configShow) run(in invocation) error { return showSettings(in.stdout, c.set.Settings()) }

// showSettings writes settings as YAML. What has no value, and secrets, are comments.
func showSettings(w io.Writer, all []settings.Setting) error {
	var text strings.Builder
	group := ""
	for _, one := range all {
		if one.Group != group {
			group = one.Group
			fmt.Fprintf(&text, "%s# %s\n", strings.Repeat("\n", min(text.Len(), 1)), group)
		}
		line, err := settingLine(one)
		if err != nil {
			return err
		}
		text.WriteString(line)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// settingLine writes one setting and the source of its value.
func settingLine(one settings.Setting) (string, error) {
	source := "default"
	if one.Values != nil {
		source = strings.TrimSuffix(one.Source, ": "+one.Name) // a file's place ends in the name
	}
	switch {
	case one.Secret && one.Values != nil:
		return fmt.Sprintf("# %s: set, not shown  # %s\n", one.Name, source), nil
	case one.Values == nil && one.Default == "" && one.Argument == "":
		return fmt.Sprintf("%s: false  # %s\n", one.Name, source), nil
	case one.Values == nil && one.Default == "":
		return fmt.Sprintf("# %s: not set\n", one.Name), nil
	}
	raw := cmp.Or(strings.Join(one.Values, ","), one.Default)
	if len(one.Values) > 0 && !one.Many {
		raw = one.Values[len(one.Values)-1]
	}
	var value any = raw
	if plain := any(nil); yaml.Unmarshal([]byte(raw), &plain) == nil && fmt.Sprint(plain) == raw {
		value = plain // a number or a switch needs no quotes
	}
	written, err := yaml.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("write %s: %w", one.Name, err)
	}
	return fmt.Sprintf("%s: %s  # %s\n", one.Name, strings.TrimSpace(string(written)), source), nil
}
