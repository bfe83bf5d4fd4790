package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/creditd/creditd/api"
)

// The methods of the SDKs by the paths that they request. scripts/sdk compares the lists with the installed SDKs.
var (
	//go:embed sdk/go.txt
	goMethods string
	//go:embed sdk/typescript.txt
	typescriptMethods string
)

//go:embed methods.md
var methodsIntro string

// methodsPage returns docs/sdk-methods.md.
func methodsPage() string {
	served := map[string]bool{}
	for _, e := range api.Describe() {
		served[e.Name] = e.Name != "liveness"
	}
	inGo, inTypescript := set(goMethods), set(typescriptMethods)
	var only strings.Builder
	all := maps.Clone(inGo)
	maps.Copy(all, inTypescript)
	table := func(serves bool) string {
		var rows strings.Builder
		rows.WriteString("| method | Go | TypeScript |\n|---|---|---|\n")
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if served[name] == serves {
				fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", name, mark(inGo[name]), mark(inTypescript[name]))
			}
		}
		return rows.String()
	}
	for _, name := range slices.Sorted(maps.Keys(served)) {
		if served[name] && !all[name] {
			fmt.Fprintf(&only, "- `%s`\n", name)
		}
	}
	return methodsIntro + "\n## Served\n\n" + table(true) + "\n## Not served\n\n" + table(false) + "\n## Served, without a method in the SDKs\n\n" + only.String()
}

func set(lines string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.FieldsSeq(lines) {
		all[line] = true
	}
	return all
}

func mark(has bool) string {
	if has {
		return "yes"
	}
	return "–"
}
