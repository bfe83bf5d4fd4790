package schema

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// splitTag splits a schema tag at its commas; a pattern, which comes last, may contain commas itself.
func splitTag(tag string) []string {
	var parts []string
	for tag != "" {
		if strings.HasPrefix(tag, "pattern=") {
			return append(parts, tag)
		}
		var part string
		part, tag, _ = strings.Cut(tag, ",")
		parts = append(parts, part)
	}
	return parts
}

// constrain applies a schema tag.
func (n *node) constrain(tag string) error {
	for _, part := range splitTag(tag) {
		key, value, _ := strings.Cut(part, "=")
		if err := n.apply(key, value); err != nil {
			return err
		}
	}
	if n.min > n.max {
		return fmt.Errorf("a lower bound is above the upper one in %q", tag)
	}
	return nil
}

func (n *node) apply(key, value string) (err error) {
	text := n.shape == shapeString
	switch own := bounds[n.shape]; {
	case key == "required":
	case key == "default":
		return n.applyDefault(value)
	case key != "" && key == own.min:
		n.min, err = strconv.ParseInt(value, 10, 64)
	case key != "" && key == own.max:
		n.max, err = strconv.ParseInt(value, 10, 64)
	case key == "pattern" && text:
		n.pattern, err = compilePattern(value)
	case key == "enum" && text && !n.nullable:
		n.enum = strings.Split(value, "|")
	default:
		return fmt.Errorf("constraint %q is unknown, or not for a value of Go type %s", key, n.full)
	}
	return err
}

func (n *node) applyDefault(text string) (err error) {
	if n.wrap != wrapNone {
		return fmt.Errorf("a default makes the difference between absent and present invisible: use a plain field")
	}
	n.def = reflect.New(n.typ).Elem()
	switch n.shape {
	case shapeString:
		n.def.SetString(text)
	case shapeInteger:
		var v int64
		v, err = strconv.ParseInt(text, 10, 64)
		n.def.SetInt(v)
	case shapeBoolean:
		var v bool
		v, err = strconv.ParseBool(text)
		n.def.SetBool(v)
	default:
		err = fmt.Errorf("default does not apply to a value of Go type %s", n.typ)
	}
	return err
}
