package settings

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// isYAML reports whether a configuration file is YAML by its name. Others have lines name = value.
func isYAML(path string) bool {
	ending := strings.ToLower(filepath.Ext(path))
	return ending == ".yaml" || ending == ".yml"
}

// parseYAML reads one mapping from names to values. A value is a scalar, or for a setting that holds several, a sequence of scalars.
func (s *Set) parseYAML(path, text string) []line {
	var document, more yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		s.Note("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		s.Note("%s: the file must hold one document", path)
		return nil
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		if top.Tag != "!!null" { // only comments
			s.Note("%s:%d: the file must read `name: value`", path, top.Line)
		}
		return nil
	}
	var lines []line
	for i := 0; i+1 < len(top.Content); i += 2 {
		lines = append(lines, yamlLines(path, top.Content[i], top.Content[i+1])...)
	}
	return lines
}

// yamlLines returns the lines that one entry of the mapping stands for: one, or one for each item of a sequence.
func yamlLines(path string, name, value *yaml.Node) []line {
	l := line{path: path, number: name.Line, entry: name.Line, name: name.Value}
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch value.Kind {
	case yaml.SequenceNode:
		lines := make([]line, 0, len(value.Content))
		for _, item := range value.Content {
			one := l
			one.number = item.Line
			one.take(item)
			lines = append(lines, one)
		}
		if len(lines) > 0 {
			return lines
		}
		l.problem = fmt.Sprintf("%s has no value; remove the line, or name one", l.name)
	default:
		l.take(value)
	}
	return []line{l}
}

// take reads a scalar.
func (l *line) take(value *yaml.Node) {
	switch {
	case value.Kind != yaml.ScalarNode:
		l.problem = fmt.Sprintf("%s must have a plain value", l.name)
	case value.Tag == "!!null" || value.Value == "":
		l.problem = fmt.Sprintf("%s has no value; remove the line, or name one", l.name)
	default:
		l.value = value.Value
	}
}
