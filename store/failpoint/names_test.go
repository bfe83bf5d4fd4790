package failpoint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store/failpoint"
)

// A name that is listed and never passed would make a crash test that tests nothing.
func TestAll_EveryNameIsPassedOnce(t *testing.T) {
	consts := map[string]failpoint.Name{} // identifier → name
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok {
			consts[spec.Names[0].Name] = failpoint.Name(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	passed := map[failpoint.Name]int{}
	for _, root := range []string{"..", "../../cluster"} {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(source, func(node ast.Node) bool {
				if s, ok := node.(*ast.SelectorExpr); ok {
					if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "failpoint" && consts[s.Sel.Name] != "" {
						passed[consts[s.Sel.Name]]++
					}
				}
				return true
			})
			return nil
		}))
	}
	require.Len(t, failpoint.All(), len(consts))
	for _, name := range failpoint.All() {
		require.Positive(t, passed[name], "%s is passed nowhere", name)
	}
}
