package tidy

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const modulePath = "github.com/creditd/creditd"

// sourcePackage is one directory of the module. Its files are parsed whatever their build constraints say, so a rule
// cannot be evaded by a file for another operating system.
type sourcePackage struct {
	path  string // relative to the module: "fsm/codec"
	files []sourceFile
}

type sourceFile struct {
	name   string // relative to the module: "fsm/codec/record.go"
	test   bool
	syntax *ast.File
}

// isTestSupport reports whether a package exists for tests only: fsmtest, clustertest, ….
func isTestSupport(path string) bool { return strings.HasSuffix(path, "test") }

// moduleRoot is found by walking up, so the tests run from any directory of a checkout.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, parent, dir, "no go.mod above the test's directory")
		dir = parent
	}
}

// goList runs `go list` in the module. -e lists a package that does not build too: its imports still count.
func goList(t testing.TB, args ...string) []string {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-e"}, args...)...)
	command.Dir = moduleRoot(t)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	require.NoError(t, err, "go list %s: %s", strings.Join(args, " "), stderr.String())
	return strings.Fields(string(out))
}

// loadModule parses every package of the module.
func loadModule(t testing.TB, fset *token.FileSet) []sourcePackage {
	t.Helper()
	root := moduleRoot(t)
	var packages []sourcePackage
	for _, dir := range goList(t, "-f", "{{.Dir}}", "./...") {
		relative, err := filepath.Rel(root, dir)
		require.NoError(t, err)
		packages = append(packages, loadPackage(t, fset, root, filepath.ToSlash(relative)))
	}
	require.NotEmpty(t, packages)
	return packages
}

func loadPackage(t testing.TB, fset *token.FileSet, root, path string) sourcePackage {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(path), "*.go"))
	require.NoError(t, err)
	loaded := sourcePackage{path: path}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		loaded.files = append(loaded.files, parseSource(t, fset, path+"/"+filepath.Base(name), string(text)))
	}
	return loaded
}

// parseSource parses text as the file name; the self-tests use it to make small bad packages.
func parseSource(t testing.TB, fset *token.FileSet, name, text string) sourceFile {
	t.Helper()
	syntax, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	require.NoError(t, err)
	return sourceFile{name: name, test: strings.HasSuffix(name, "_test.go"), syntax: syntax}
}

// codeFiles returns the files of a package that a build with the tags compiles.
func codeFiles(t testing.TB, fset *token.FileSet, path string, tags ...string) (files []*ast.File) {
	t.Helper()
	dir := filepath.Join(moduleRoot(t), filepath.FromSlash(path))
	context := build.Default
	context.BuildTags = tags
	for _, file := range loadPackage(t, fset, moduleRoot(t), path).files {
		built, err := context.MatchFile(dir, filepath.Base(file.name))
		require.NoError(t, err)
		if built && !file.test {
			files = append(files, file.syntax)
		}
	}
	return files
}

func importPath(spec *ast.ImportSpec) string {
	path, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value // the parser accepted it, so it is quoted; keep it visible if not
	}
	return path
}

// selections finds uses of pkg.Name for the given names, through whatever name the file imports the package as.
func selections(file *ast.File, pkg string, names ...string) []*ast.SelectorExpr {
	local := ""
	for _, spec := range file.Imports {
		if importPath(spec) != pkg {
			continue
		}
		local = pkg[strings.LastIndex(pkg, "/")+1:]
		if spec.Name != nil {
			local = spec.Name.Name
		}
	}
	if local == "" {
		return nil
	}
	var found []*ast.SelectorExpr
	ast.Inspect(file, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		ident, ok := selector.X.(*ast.Ident)
		if !ok || ident.Name != local {
			return true
		}
		for _, name := range names {
			if selector.Sel.Name == name {
				found = append(found, selector)
			}
		}
		return true
	})
	return found
}

// report fails the test once for each finding.
func report(t *testing.T, findings []string) {
	t.Helper()
	for _, finding := range findings {
		t.Error(finding)
	}
}
