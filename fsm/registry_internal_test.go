package fsm

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A type that is not in its table could be applied and never read back from the log.
func TestRegistry_HasEveryDescriptor(t *testing.T) {
	declared := descriptors(t)
	registered := map[string]int{}
	for _, c := range commandTypes {
		if c != nil {
			registered["commandType"]++
		}
	}
	for _, r := range resultTypes {
		if r != nil {
			registered["resultType"]++
		}
	}
	for _, r := range recordTypes {
		if r != nil {
			registered["recordType"]++
		}
	}
	declared["commandType"] -= 1 // consumeRatelimitsCreatingType is Limit with another event
	require.Equal(t, declared, registered, "a new command, result or record needs its row in registry.go or result.go")
}

// descriptors counts the package-level descriptors in the source.
func descriptors(t *testing.T) map[string]int {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	count := map[string]int{}
	context := build.Default
	context.BuildTags = buildTags
	for _, path := range paths {
		built, err := context.MatchFile(".", path)
		require.NoError(t, err)
		if !built || strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					if lit, ok := v.(*ast.CompositeLit); ok {
						if id, ok := lit.Type.(*ast.Ident); ok && (id.Name == "commandType" || id.Name == "resultType" || id.Name == "recordType") {
							count[id.Name]++
						}
					}
				}
			}
		}
	}
	return count
}

// What came with a version is younger than no version that this build knows.
func TestRegistry_KnowsTheVersionsOfItsTypes(t *testing.T) {
	check := func(since, newest uint64) {
		require.GreaterOrEqual(t, since, OldestLedgerVersion)
		require.LessOrEqual(t, max(since, newest), NewestLedgerVersion)
		require.True(t, newest == 0 || newest > since)
	}
	for i := range commandTypes {
		if c := commandTypes[i]; c != nil {
			check(c.since, c.newest)
		}
		if r := resultTypes[i]; r != nil {
			check(r.since, r.newest)
		}
		if r := recordTypes[i]; r != nil {
			check(r.since, r.newest)
		}
	}
}
