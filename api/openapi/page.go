package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Page returns the content of Document as Markdown. vars maps ids of the examples to the shell variables that replace them.
func Page(intro string, endpoints []Endpoint, vars map[string]string) string {
	var b strings.Builder
	b.WriteString(intro)
	common := commonTypes(endpoints)
	b.WriteString("\n## Errors of every endpoint\n\n| status | type | |\n|---|---|---|\n")
	for _, e := range endpoints {
		if !e.Open {
			b.WriteString(problemRows(e, func(p Problem) bool { return common[p.Type] }))
			break
		}
	}
	known := shapes{}
	group := ""
	for _, e := range endpoints {
		if noun(e.Name) != group {
			group = noun(e.Name)
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		b.WriteString(section(e, known, common, vars))
	}
	b.WriteString("\n## Shapes of answers\n")
	for _, name := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(&b, "\n### %s\n\n%s", name, fieldTable(known[name].(map[string]any), "always present"))
	}
	return b.String()
}

// commonTypes are the error types that every endpoint with credentials may answer with.
func commonTypes(endpoints []Endpoint) map[string]bool {
	seen, count := map[string]int{}, 0
	for _, e := range endpoints {
		if e.Open {
			continue
		}
		count++
		met := map[string]bool{}
		for _, p := range e.Problems {
			if !met[p.Type] {
				met[p.Type] = true
				seen[p.Type]++
			}
		}
	}
	common := map[string]bool{}
	for name, times := range seen {
		common[name] = times == count
	}
	return common
}

func section(e Endpoint, known shapes, common map[string]bool, vars map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n`%s %s` — %s.\n", e.Name, e.Method, e.Path, e.Summary)
	if text := describe(e); text != "" {
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	if e.Open {
		fmt.Fprintf(&b, "\n```sh\ncurl -fsS \"$CREDITD_URL%s\"\n```\n", e.Path)
	} else {
		fmt.Fprintf(&b, "\n```sh\ncurl -fsS \"$CREDITD_URL%s\" -H \"Authorization: Bearer $CREDITD_ROOT_KEY\" -H 'Content-Type: application/json' \\\n  -d '%s'\n```\n",
			e.Path, withVariables(e.Example, vars))
		if table := fieldTable(e.Request(nil), "required"); table != "" {
			fmt.Fprintf(&b, "\nRequest:\n\n%s", table)
		}
	}
	fmt.Fprintf(&b, "\nResult: %s\n", result(e, known))
	if rows := problemRows(e, func(p Problem) bool { return !common[p.Type] }); rows != "" && !e.Open {
		fmt.Fprintf(&b, "\n| status | type | |\n|---|---|---|\n%s", rows)
	}
	return b.String()
}

// withVariables replaces ids with shell variables, outside the single quotes around the body.
func withVariables(example string, vars map[string]string) string {
	text := strings.ReplaceAll(example, "'", `'\''`)
	for id, name := range vars {
		text = strings.ReplaceAll(text, id, `'"$`+name+`"'`)
	}
	return text
}

func result(e Endpoint, known shapes) string {
	if e.Media != "" {
		return "`" + e.Media + "`, without an envelope."
	}
	if e.Result == nil {
		return "no `data`."
	}
	shown := known.of(e.Result)
	text := "`{}`."
	if word := typeWord(shown); word != "object" {
		text = word + "."
	}
	if e.Paged {
		text += " `pagination` stands beside it."
	}
	return text
}

func problemRows(e Endpoint, wanted func(Problem) bool) string {
	var b strings.Builder
	met := map[string]bool{}
	for _, group := range byStatus(e.Problems) {
		for _, p := range group {
			if wanted(p) && !met[p.Type] {
				met[p.Type] = true
				_, kind, _ := strings.Cut(p.Type, "/errors/")
				fmt.Fprintf(&b, "| %d | `%s` | %s |\n", p.Status, kind, cell(p.Detail))
			}
		}
	}
	return b.String()
}

// field is one row of a table.
type field struct {
	name     string
	required bool
	schema   map[string]any
}

// fieldTable lists the fields of an object, and those of inner objects by their path.
func fieldTable(schema map[string]any, always string) string {
	fields := collect(nil, "", schema)
	if len(fields) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("| field | type | |\n|---|---|---|\n")
	for _, f := range fields {
		var notes []string
		if f.required {
			notes = append(notes, always)
		}
		notes = append(notes, limits(f.schema)...)
		if text, ok := f.schema["description"].(string); ok {
			notes = append(notes, cell(text))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, typeWord(f.schema), strings.Join(notes, "; "))
	}
	return b.String()
}

func collect(fields []field, prefix string, schema map[string]any) []field {
	if items, ok := schema["items"].(map[string]any); ok {
		return collect(fields, prefix+"[].", items)
	}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	own := make([]field, 0, len(properties))
	for name, property := range properties {
		own = append(own, field{name, slices.Contains(required, any(name)), property.(map[string]any)})
	}
	slices.SortFunc(own, func(a, b field) int {
		if a.required != b.required {
			if a.required {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.name, b.name)
	})
	for _, f := range own {
		name := f.name
		f.name = strings.TrimPrefix(prefix, "[].") + name
		fields = collect(append(fields, f), strings.TrimSuffix(prefix+name, ".")+nest(f.schema), f.schema)
	}
	return fields
}

// nest separates the name of an object from those of its fields. An array has a separator of its own.
func nest(schema map[string]any) string {
	if _, array := schema["items"]; array {
		return ""
	}
	return "."
}

// typeWord is a type in words.
func typeWord(schema map[string]any) string {
	if ref, ok := schema["$ref"].(string); ok {
		name := path.Base(ref)
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	}
	if list, ok := schema["anyOf"].([]any); ok {
		return words(list, func(v any) string { return typeWord(v.(map[string]any)) })
	}
	if list, ok := schema["type"].([]any); ok {
		return words(list, func(v any) string { return v.(string) })
	}
	kind, _ := schema["type"].(string)
	if items, ok := schema["items"].(map[string]any); ok {
		return "array of " + typeWord(items)
	}
	return kind
}

func words(list []any, word func(any) string) string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = word(v)
	}
	return strings.Join(all, " or ")
}

// limits are the rules of a field in words.
func limits(schema map[string]any) []string {
	var notes []string
	span := func(low, high, unit string) {
		least, hasLeast := schema[low]
		most, hasMost := schema[high]
		switch {
		case hasLeast && hasMost:
			notes = append(notes, fmt.Sprintf("%v..%v%s", least, most, unit))
		case hasLeast && least == int64(1):
			notes = append(notes, "at least 1"+strings.TrimSuffix(unit, "s"))
		case hasLeast:
			notes = append(notes, fmt.Sprintf("at least %v%s", least, unit))
		case hasMost:
			notes = append(notes, fmt.Sprintf("at most %v%s", most, unit))
		}
	}
	span("minLength", "maxLength", " characters")
	span("minimum", "maximum", "")
	span("minItems", "maxItems", " items")
	span("minProperties", "maxProperties", " properties")
	if values, ok := schema["enum"].([]any); ok {
		notes = append(notes, words(values, func(v any) string { return fmt.Sprintf("`%v`", v) }))
	}
	if pattern, ok := schema["pattern"].(string); ok {
		notes = append(notes, "`"+strings.ReplaceAll(pattern, "|", `\|`)+"`")
	}
	if value, ok := schema["default"]; ok {
		text, _ := json.Marshal(value) // a default is a plain value
		notes = append(notes, "default `"+string(text)+"`")
	}
	return notes
}

// cell escapes a text for a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}
