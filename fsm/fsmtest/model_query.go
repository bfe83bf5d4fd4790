package fsmtest

import (
	"slices"
	"strings"
)

// A permission query, the plain way: cut into words, then try every place where it could be divided. See contract 3.5.

const slugCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-*:/"

// satisfied evaluates a query; ok false: it does not parse.
func satisfied(query string, slugs []string) (value, ok bool) {
	spaced := strings.NewReplacer("(", " ( ", ")", " ) ", "\t", " ", "\r", " ", "\n", " ").Replace(query)
	words := strings.FieldsFunc(spaced, func(r rune) bool { return r == ' ' })
	for _, word := range words {
		if strings.Trim(word, slugCharacters+"()") != "" {
			return false, false
		}
	}
	return expression(words, slugs)
}

// expression divides at an OR outside of all parentheses, else at an AND.
func expression(words, slugs []string) (value, ok bool) {
	for _, operator := range []string{"OR", "AND"} {
		depth := 0
		for i, word := range words {
			switch {
			case word == "(":
				depth++
			case word == ")":
				depth--
			case depth == 0 && strings.EqualFold(word, operator):
				left, ok := expression(words[:i], slugs)
				right, also := expression(words[i+1:], slugs)
				if operator == "OR" {
					return left || right, ok && also
				}
				return left && right, ok && also
			}
		}
	}
	last := len(words) - 1
	switch {
	case last == 0:
		word := words[0]
		return slices.Contains(slugs, word), word != "(" && word != ")"
	case last > 1 && words[0] == "(" && words[last] == ")":
		return expression(words[1:last], slugs)
	default:
		return false, false
	}
}
