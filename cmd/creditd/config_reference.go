package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/creditd/creditd/cmd/creditd/internal/settings"
)

var _ = register(registration{group: "config", use: "reference", short: "print the reference of all settings as Markdown",
	long: `Prints every setting of 'creditd server' with its meaning, its default and its environment variable,
as Markdown.`,
	make: func() command { return configReference{} }})

// configReference is `creditd config reference`. docs/settings.md is what it prints.
type configReference struct{ noSettings }

const settingsIntro = `# Settings of a node

` + "`creditd config reference`" + ` prints this page. ` + "`creditd server`" + ` takes each setting as a flag (` + "`--name`" + `), as an environment variable, and as a line
of the file that ` + "`--config`" + ` names. A flag counts before its variable, and the variable before the file. A file that ends in ` + "`.yaml`" + ` or
` + "`.yml`" + ` is YAML: one mapping from names to values. Any other file has lines ` + "`name = value`" + `. A name that does not exist is an error.

` + "```yaml" + `
data-dir: /var/lib/creditd
bootstrap-expect: 3
join: [10.0.0.1:7072, 10.0.0.2:7072, 10.0.0.3:7072]
` + "```" + `

` + "`creditd config check --config FILE`" + ` says what is wrong with a file, and starts nothing. ` + "`creditd config show`" + ` shows every setting and where its
value comes from.
`

func (configReference) run(in invocation) error {
	set := settings.New(&cobra.Command{})
	newServer().bind(set)
	_, err := io.WriteString(in.stdout, settingsPage(set.Settings()))
	return err
}

// settingsPage returns a table for each group of settings.
func settingsPage(all []settings.Setting) string {
	var page strings.Builder
	page.WriteString(settingsIntro)
	group := ""
	for _, one := range all {
		if one.Group != group {
			group = one.Group
			fmt.Fprintf(&page, "\n## %s\n\n| Setting | Value | Default | Meaning |\n|---|---|---|---|\n", group)
		}
		name, value, byDefault := "`"+one.Name+"`", "true, false", "false"
		if one.Secret {
			name = "`" + one.Env + "` (variable or file only)"
		}
		if one.Argument != "" {
			value, byDefault = cell(one.Argument), cell(one.Default)
		}
		fmt.Fprintf(&page, "| %s | %s | %s | %s |\n", name, value, byDefault, sentence(one))
	}
	return page.String()
}

// cell returns a text as code in a table; nothing stays empty.
func cell(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(text, "|", `\|`) + "`"
}

// sentence begins the help text with a capital, and names a setting's file variant where the help text says nothing.
func sentence(one settings.Setting) string {
	text := one.Usage
	if text == "" {
		return "Its secret itself; see `" + one.Name + "-file`"
	}
	return strings.ToUpper(text[:1]) + strings.ReplaceAll(text[1:], "|", `\|`)
}
