package tidy

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// testName finds the tests that a page names.
var testName = regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")

// TestGuarantees_NameTestsThatExist: a promise whose test was renamed or removed is a promise without a test.
func TestGuarantees_NameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "guarantees.md"))
	require.NoError(t, err)
	tests := map[string]bool{}
	for _, pkg := range loadModule(t, token.NewFileSet()) {
		for _, name := range testsOf(pkg) {
			tests[name] = true
		}
	}
	report(t, checkPromises(string(page), tests))
}

func testsOf(pkg sourcePackage) (names []string) {
	for _, file := range pkg.files {
		if !file.test {
			continue
		}
		for _, declaration := range file.syntax.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}

// checkPromises wants in every row of a table of promises a test that exists, or a command.
func checkPromises(page string, tests map[string]bool) []string {
	var findings []string
	for i, line := range strings.Split(page, "\n") {
		named := map[string]bool{}
		for _, match := range testName.FindAllStringSubmatch(line, -1) {
			if !tests[match[1]] {
				findings = append(findings, fmt.Sprintf("docs/guarantees.md:%d: there is no test %s", i+1, match[1]))
			}
			if named[match[1]] {
				findings = append(findings, fmt.Sprintf("docs/guarantees.md:%d: %s is named twice", i+1, match[1]))
			}
			named[match[1]] = true
		}
		if strings.HasPrefix(line, "| **") && !testName.MatchString(line) && !strings.Contains(line, "`make ") {
			findings = append(findings, fmt.Sprintf("docs/guarantees.md:%d: a promise without a test", i+1))
		}
	}
	return findings
}

func TestGuarantees_LostTestIsFound(t *testing.T) {
	tests := map[string]bool{"TestA": true}
	for line, want := range map[string]int{
		"| **A.** | | `TestA` |":          0,
		"| **A.** | | `make chaos` |":     0,
		"| **A.** | | `TestA`, `TestB` |": 1,
		"| **A.** | | `TestA`, `TestA` |": 1,
		"| **A.** | | |":                  1,
		"see `TestC`":                     1,
	} {
		require.Len(t, checkPromises(line, tests), want, line)
	}
}
