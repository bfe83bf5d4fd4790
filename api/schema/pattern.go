package schema

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// pattern is a regular expression. In the common case all characters come from one ASCII class, and a table answers many times faster.
type pattern struct {
	regexp *regexp.Regexp
	class  *[utf8.RuneSelf]bool
}

func compilePattern(expr string) (*pattern, error) {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	return &pattern{regexp: re, class: asciiClass(expr)}, nil
}

func (p *pattern) match(text []byte) bool {
	if p.class == nil {
		return p.regexp.Match(text)
	}
	for _, c := range text {
		if c >= utf8.RuneSelf || !p.class[c] {
			return false
		}
	}
	return len(text) > 0
}

// asciiClass returns the table for an expression of the form ^[class]+$, and nil for any other.
func asciiClass(expr string) *[utf8.RuneSelf]bool {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil || re.Op != syntax.OpConcat || len(re.Sub) != 3 ||
		re.Sub[0].Op != syntax.OpBeginText || re.Sub[1].Op != syntax.OpPlus || re.Sub[2].Op != syntax.OpEndText {
		return nil
	}
	class := re.Sub[1].Sub[0]
	if class.Op != syntax.OpCharClass {
		return nil
	}
	var table [utf8.RuneSelf]bool
	for i := 0; i < len(class.Rune); i += 2 {
		if class.Rune[i+1] >= utf8.RuneSelf {
			return nil
		}
		for r := class.Rune[i]; r <= class.Rune[i+1]; r++ {
			table[r] = true
		}
	}
	return &table
}
