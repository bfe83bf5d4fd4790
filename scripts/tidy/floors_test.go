package tidy

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// ledgerFloors are the floors of package fsm, the lowest first. A file refers to files of its own floor and of lower ones. Packages
// would say the same with arrows; these files share the unexported parts of one State.
var ledgerFloors = [][]string{
	{"doc.go", "value*.go", "version*.go", "form.go", "casefold.go", "refill.go", "ordered.go", "lookup.go", "page.go", "expiry.go", "permission_query.go", "weight.go", "share.go", "result*.go", "audit_event.go"},
	{"record*.go", "digest.go"},
	{"core.go", "freeze.go", "audit_collector.go"},
	{"credit.go"},
	{
		"workspace.go", "quota.go", "rootkey.go", "root_permission.go", "identity.go", "api.go", "key.go", "key_access.go", "permission.go", "role.go", "access_plan.go", "access_limits.go",
		"list.go", "migration.go", "graveyard.go", "referred.go", "sweep.go", "key_removal.go", "importmark*.go", "namespace.go", "override_pattern.go", "window.go", "ratelimit.go", "session.go", "idempotency.go", "audit_log.go",
	},
	{"state.go", "command.go", "cmd_*.go", "import.go", "import_*.go", "verify*.go", "query*.go", "registry*.go", "apply.go", "loader.go", "snapshot.go", "work.go"},
}

// TestFloors_OfTheLedger: a rule is found by going down from its command, never up.
func TestFloors_OfTheLedger(t *testing.T) {
	findings, unplaced := checkFloors(t, "fsm", ledgerFloors)
	require.Empty(t, unplaced, "say on which floor these files are")
	report(t, findings)
}

// checkFloors returns the references that go up, and the files that are on no floor.
func checkFloors(t testing.TB, pkgPath string, floors [][]string) (findings, unplaced []string) {
	t.Helper()
	fset := token.NewFileSet()
	files := codeFiles(t, fset, pkgPath)
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", exportData(t)), Sizes: types.SizesFor("gc", runtime.GOARCH)}
	pkg, err := config.Check(modulePath+"/"+pkgPath, fset, files, info)
	require.NoError(t, err)
	floorOf := func(pos token.Pos) (int, string) {
		name := filepath.Base(fset.Position(pos).Filename)
		return floorOf(floors, name), name
	}
	for _, file := range files {
		if floor, name := floorOf(file.Pos()); floor < 0 {
			unplaced = append(unplaced, name)
		}
	}
	for use, object := range info.Uses {
		if object.Pkg() != pkg || !object.Pos().IsValid() {
			continue
		}
		from, _ := floorOf(use.Pos())
		to, used := floorOf(object.Pos())
		if from < to {
			findings = append(findings, fmt.Sprintf("%s: %s is on a higher floor, in %s", fset.Position(use.Pos()), use.Name, used))
		}
	}
	slices.Sort(findings)
	return slices.Compact(findings), unplaced
}

func floorOf(floors [][]string, name string) int {
	return slices.IndexFunc(floors, func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			ok, _ := path.Match(pattern, name)
			return ok
		})
	})
}

// A reference from a low floor to a high one is found.
func TestFloors_UpwardReferenceIsFound(t *testing.T) {
	upside := slices.Clone(ledgerFloors)
	slices.Reverse(upside)
	findings, _ := checkFloors(t, "fsm", upside)
	require.NotEmpty(t, findings)
	_, unplaced := checkFloors(t, "fsm", ledgerFloors[1:])
	require.Contains(t, unplaced, "casefold.go")
}
