package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// metric is one family of metrics, as the source declares it.
type metric struct{ name, help, kind string }

const metricsIntro = `# Metrics of a node

` + "`go run ./scripts/apidoc metrics`" + ` makes this page from the source. Every node serves them at ` + "`/metrics`" + `; [operating.md](operating.md#metrics) says which
matter first. The collectors of Go and of the process (` + "`go_…`, `process_…`" + `) come with the client library of Prometheus.

| Metric | Kind | Counts |
|---|---|---|
`

// metricsPage returns docs/metrics.md from the source below root.
func metricsPage(root string) (string, error) {
	var all []metric
	for _, dir := range []string{"api", "cluster", "cmd", "store"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			all = append(all, metricsOf(file)...)
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	slices.SortFunc(all, func(a, b metric) int { return cmp.Compare(a.name, b.name) })
	all = slices.Compact(all)
	var page strings.Builder
	page.WriteString(metricsIntro)
	for _, m := range all {
		if m.help == "" {
			return "", fmt.Errorf("the metric %s has no help text that stands beside its name", m.name)
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", m.name, m.kind, strings.ReplaceAll(m.help, "|", `\|`))
	}
	return page.String(), nil
}

// metricsOf finds the two forms of a declaration: a call with the name and the help text, and options with the fields Name and Help.
func metricsOf(file *ast.File) (found []metric) {
	function := "" // the call that options stand in
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			function = calledName(n)
			if len(n.Args) > 1 {
				found = appendMetric(found, n.Args[0], n.Args[1], function)
			}
		case *ast.CompositeLit:
			fields := map[string]ast.Expr{}
			for _, element := range n.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok {
					if key, ok := pair.Key.(*ast.Ident); ok {
						fields[key.Name] = pair.Value
					}
				}
			}
			if fields["Name"] != nil {
				found = appendMetric(found, fields["Name"], fields["Help"], function)
			}
		}
		return true
	})
	return found
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func appendMetric(found []metric, name, help ast.Expr, function string) []metric {
	called := literal(name)
	if !strings.HasPrefix(called, "creditd_") {
		return found
	}
	kind := "gauge"
	switch {
	case strings.Contains(strings.ToLower(function), "histogram"):
		kind = "histogram"
	case strings.HasSuffix(called, "_total"):
		kind = "counter"
	}
	return append(found, metric{called, literal(help), kind})
}

// literal returns the text of a string, or of several with + between them.
func literal(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(x.Value) // the parser took it
		return text
	case *ast.BinaryExpr:
		return literal(x.X) + literal(x.Y)
	}
	return ""
}
