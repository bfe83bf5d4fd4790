package tidy

import (
	"fmt"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An arrow row says what the packages it matches may import. The arrows of the design are
//
//	cmd → api → fsm ← fsm/codec ← cluster → store
//
// and api meets cluster only in cmd, but for the errors of cluster/fault. The first row that matches a package decides; every package needs one.
type row struct {
	match string   // a package, or "api/..." for api and everything below it
	own   []string // packages of this module it may import, same notation
	tests []string // further packages of this module that its test files may import
	std   []string // the standard packages it may import; nil allows all that deny does not name
	third bool     // may import third-party packages that deny does not name
	deny  []string // import paths it must never reach, with everything below them; tests neither
	// denyCode is denied to what is not a test: tests may set their own flags.
	denyCode []string
	noEnv    bool // may not read the environment: configuration is cmd's, and arrives as a struct
}

var (
	// pureStd is what a deterministic package may use: values in, values out.
	pureStd = []string{
		"bytes", "cmp", "encoding/binary", "errors", "fmt", "maps", "math", "math/bits", "slices", "sort", "strconv", "strings",
		"unicode/utf8",
	}

	consensus = []string{
		"github.com/hashicorp/raft", "github.com/hashicorp/raft-boltdb", "github.com/hashicorp/raft-wal",
		"github.com/hashicorp/raft-autopilot",
	}
	disk   = []string{"go.etcd.io/bbolt", "github.com/boltdb/bolt"}
	gossip = []string{"github.com/hashicorp/memberlist"}
	web    = []string{"github.com/gin-gonic/gin", "github.com/gin-contrib", "net/http"}
	flags  = []string{"flag"}

	// testLibraries may be imported by test files and by packages that exist for tests.
	testLibraries = []string{
		"testing", "github.com/stretchr/testify", "go.uber.org/goleak", "pgregory.net/rapid",
	}

	ledger = []string{"fsm", "fsm/codec"}
)

var rows = []row{
	{match: "fsm/fields", std: pureStd},
	{match: "fsm", own: []string{"fsm/fields"}, tests: []string{"fsm/codec"}, std: pureStd},
	{match: "fsm/codec", own: []string{"fsm", "fsm/fields"}, std: append([]string{"hash/crc32", "io"}, pureStd...)},
	{match: "fsm/fsmtest", own: []string{"fsm"}, deny: web},

	{match: "store/...", own: []string{"store/..."}, third: true, deny: join(gossip, web, flags), noEnv: true},

	// The node joins its parts. A part knows the parts below it, and never the node.
	{
		match: "cluster", own: []string{
			"fsm", "store", "store/failpoint", "cluster/backup", "cluster/batch", "cluster/clock", "cluster/compaction", "cluster/fault", "cluster/fitness", "cluster/generation", "cluster/gossip", "cluster/leader", "cluster/logcache",
			"cluster/membership", "cluster/peer", "cluster/propose", "cluster/replica", "cluster/rpc", "cluster/tracing", "cluster/turns", "cluster/upgrade",
		},
		tests: []string{"fsm/codec", "cluster/..."}, third: true, deny: join(web, flags), noEnv: true,
	},
	{match: "cluster/clustertest/links", deny: join(web, flags), noEnv: true},
	{match: "cluster/clustertest", own: []string{"fsm", "store", "cluster/..."}, deny: join(web, flags), noEnv: true},
	{
		match: "cluster/simulation", tests: []string{"fsm", "store", "cluster/..."}, third: true,
		deny: join(web, flags), noEnv: true,
	},
	{
		match: "cluster/membership", own: []string{"cluster/fault", "cluster/generation", "cluster/gossip", "cluster/leader", "cluster/rpc", "cluster/tally"},
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{
		match: "cluster/upgrade", own: []string{"fsm", "cluster/gossip"}, third: true, deny: join(disk, web, flags), noEnv: true,
	},
	{
		match: "cluster/fitness", own: []string{"cluster/clock", "cluster/fault", "cluster/replica", "cluster/rpc"},
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{
		match: "cluster/propose", own: join(ledger, []string{"store/failpoint", "cluster/batch", "cluster/fault", "cluster/leader", "cluster/rpc", "cluster/tracing", "cluster/turns"}),
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{
		match: "cluster/leader", own: []string{"cluster/fault", "cluster/peer", "cluster/rpc"},
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{match: "cluster/rpc", own: []string{"cluster/fault", "cluster/peer"}, deny: join(web, flags), noEnv: true},
	// The vocabulary of errors is also that of package api, which knows nothing else of cluster.
	{match: "cluster/compaction", third: true, deny: join(disk, web, flags), noEnv: true},
	{match: "cluster/logcache", third: true, deny: join(disk, web, flags), noEnv: true},
	{match: "cluster/fault", std: []string{"errors", "fmt", "time"}},
	{
		match: "cluster/batch", own: []string{"fsm", "cluster/fault"},
		deny: join(web, flags), noEnv: true,
	},
	{
		match: "cluster/replica", own: join(ledger, []string{"store", "store/failpoint"}),
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{
		match: "cluster/backup", own: join(ledger, []string{"store", "cluster/replica"}),
		deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{
		match: "cluster/recovery", own: []string{"fsm/codec", "store", "cluster/backup", "cluster/generation", "cluster/replica", "cluster/rpc"}, tests: []string{"fsm"},
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{match: "cluster/generation", deny: join(web, flags), noEnv: true},
	{match: "cluster/turns", own: []string{"cluster/fault"}, deny: join(web, flags), noEnv: true},
	{match: "cluster/lobby", deny: join(web, flags), noEnv: true},
	{match: "cluster/handshakes", std: []string{"net/netip", "sync", "time"}},
	{match: "cluster/tracing", third: true, deny: join(consensus, disk, gossip, web, flags), noEnv: true},
	{match: "cluster/tally", std: []string{"sync", "time"}},
	{match: "cluster/secret", deny: join(web, flags), noEnv: true},
	{match: "cluster/clock", std: []string{"slices", "sync", "time"}},
	{
		match: "cluster/peer", own: []string{"cluster/handshakes", "cluster/lobby", "cluster/tally"},
		third: true, deny: join(disk, gossip, web, flags), noEnv: true,
	},
	{match: "cluster/gossip/forge", third: true, deny: join(consensus, disk, web, flags), noEnv: true},
	{
		match: "cluster/gossip", own: []string{"cluster/generation", "cluster/lobby", "cluster/tally"}, tests: []string{"cluster/gossip/forge"},
		third: true, deny: join(consensus, disk, web, flags), noEnv: true,
	},

	{match: "api/client", noEnv: true}, // callers of the API need nothing of the server
	{
		match: "api/...", own: []string{"api/...", "fsm", "cluster/fault"},
		tests: []string{"cluster", "cluster/clustertest"}, third: true, // the tests hold the contract against three nodes, too
		deny: join(consensus, disk, gossip), denyCode: flags, noEnv: true,
	},

	{match: "cmd/...", own: []string{"cmd/...", "api/...", "cluster/...", "store/...", "fsm/..."}, tests: []string{"scripts/launch", "scripts/unkeydb"}, third: true},
	{match: "scripts/...", own: []string{"scripts/...", "api/...", "cluster/...", "store/...", "fsm/..."}, third: true},
}

// TestArrows_HoldInEveryPackage keeps the ledger ignorant of how it is replicated, and HTTP of how it is stored.
func TestArrows_HoldInEveryPackage(t *testing.T) {
	fset := token.NewFileSet()
	for _, pkg := range loadModule(t, fset) {
		report(t, checkArrows(fset, pkg))
	}
}

// TestArrows_AllowNothingUnused: an allowance that nobody uses hides an import that somebody adds by mistake.
func TestArrows_AllowNothingUnused(t *testing.T) {
	packages := loadModule(t, token.NewFileSet())
	for _, rule := range rows {
		code, tests := rule.imports(packages)
		for _, pattern := range rule.own {
			if !anyMatches(pattern, code) {
				t.Errorf("row %s allows %s and no package uses it (rows in scripts/tidy/arrows_test.go)", rule.match, pattern)
			}
		}
		for _, pattern := range rule.tests {
			if !anyMatches(pattern, tests) {
				t.Errorf("row %s allows tests %s and no test uses it (rows in scripts/tidy/arrows_test.go)", rule.match, pattern)
			}
		}
		third := func(path string) bool {
			_, isOwn := strings.CutPrefix(path, modulePath+"/")
			return !isOwn && !isStandard(path) && !under(path, testLibraries)
		}
		if rule.third && !slices.ContainsFunc(slices.Concat(code, tests), third) {
			t.Errorf("row %s allows third-party packages and no package uses one (rows in scripts/tidy/arrows_test.go)", rule.match)
		}
	}
}

// imports returns what the packages of this row import, in their code and in their tests.
func (r row) imports(packages []sourcePackage) (code, tests []string) {
	for _, pkg := range packages {
		if rule, found := rowOf(pkg.path); !found || rule.match != r.match {
			continue
		}
		for _, file := range pkg.files {
			for _, spec := range file.syntax.Imports {
				if file.test {
					tests = append(tests, importPath(spec))
				} else {
					code = append(code, importPath(spec))
				}
			}
		}
	}
	return code, tests
}

func anyMatches(pattern string, imports []string) bool {
	return slices.ContainsFunc(imports, func(path string) bool {
		own, isOwn := strings.CutPrefix(path, modulePath+"/")
		return isOwn && matches(pattern, own)
	})
}

// checkArrows compares the imports of one package with its row.
func checkArrows(fset *token.FileSet, pkg sourcePackage) []string {
	rule, found := rowOf(pkg.path)
	if !found {
		return []string{fmt.Sprintf("package %s has no row: add one to rows in scripts/tidy/arrows_test.go saying what it may import", pkg.path)}
	}
	var findings []string
	for _, file := range pkg.files {
		for _, spec := range file.syntax.Imports {
			if why := rule.refuses(pkg.path, importPath(spec), file.test); why != "" {
				findings = append(findings, fmt.Sprintf("%s: %s imports %q: %s (rows in scripts/tidy/arrows_test.go)",
					fset.Position(spec.Pos()), pkg.path, importPath(spec), why))
			}
		}
		if rule.noEnv && !file.test {
			for _, use := range selections(file.syntax, "os", "Getenv", "LookupEnv", "Environ", "ExpandEnv") {
				findings = append(findings, fmt.Sprintf("%s: %s reads the environment: cmd does, and passes a struct",
					fset.Position(use.Pos()), pkg.path))
			}
		}
	}
	return findings
}

func rowOf(path string) (row, bool) {
	for _, rule := range rows {
		if matches(rule.match, path) {
			return rule, true
		}
	}
	return row{}, false
}

// refuses says why a file of the package from may not import path, or "".
func (r row) refuses(from, path string, test bool) string {
	if own, isOwn := strings.CutPrefix(path, modulePath+"/"); isOwn {
		return r.refusesOwn(from, own, test)
	}
	if path == modulePath {
		return "the module's root holds no Go files"
	}
	if under(path, r.deny) || !test && under(path, r.denyCode) {
		return "denied to this package"
	}
	if under(path, testLibraries) {
		if test || isTestSupport(from) {
			return ""
		}
		return "a test library outside tests"
	}
	if isStandard(path) {
		if test || r.std == nil || slices.Contains(r.std, path) {
			return ""
		}
		return "only these standard packages may be used here: " + strings.Join(r.std, " ")
	}
	if !r.third {
		return "no third-party package may be used here"
	}
	return ""
}

func (r row) refusesOwn(from, own string, test bool) string {
	if own == from && test {
		return "" // an external test package
	}
	if isTestSupport(own) {
		if test || isTestSupport(from) {
			return ""
		}
		return "a package that exists for tests"
	}
	allowed := r.own
	if test {
		allowed = join(r.own, r.tests)
	}
	for _, pattern := range allowed {
		if matches(pattern, own) {
			return ""
		}
	}
	if len(allowed) == 0 {
		return "it may import nothing of this module"
	}
	return "of this module it may import only " + strings.Join(allowed, " ")
}

// matches reports whether path is pattern or, for "p/...", p or below it.
func matches(pattern, path string) bool {
	if prefix, deep := strings.CutSuffix(pattern, "/..."); deep {
		return under(path, []string{prefix})
	}
	return path == pattern
}

func under(path string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return true
		}
	}
	return false
}

// isStandard follows the go command: the first element of a third-party path has a dot. "C" counts as neither.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return path != "C" && !strings.Contains(first, ".")
}

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// TestArrows_Refuse shows that the guard can fail: each import breaks one arrow.
func TestArrows_Refuse(t *testing.T) {
	for _, test := range []struct{ file, imports, want string }{
		{"fsm/bad.go", "time", "only these standard packages"},
		{"fsm/bad.go", "github.com/google/btree", "no third-party"},
		{"fsm/bad.go", modulePath + "/fsm/codec", "only fsm/fields"},
		{"fsm/bad.go", "C", "no third-party"},
		{"fsm/bad.go", modulePath + "/cluster/fault", "only fsm/fields"},
		{"fsm/fields/bad.go", modulePath + "/fsm", "nothing of this module"},
		{"cluster/fault/bad.go", modulePath + "/fsm", "nothing of this module"},
		{"cluster/gossip/bad.go", modulePath + "/cluster/fault", "only cluster/generation"},
		{"cluster/propose/bad.go", modulePath + "/cluster/membership", "of this module"},
		{"cluster/propose/bad.go", modulePath + "/cluster/fitness", "of this module"},
		{"cluster/fitness/bad.go", modulePath + "/cluster/leader", "of this module"},
		{"cluster/membership/bad.go", modulePath + "/fsm", "of this module"},
		{"cluster/membership/bad_test.go", modulePath + "/cluster", "of this module"},
		{"cluster/rpc/bad.go", "github.com/hashicorp/raft", "no third-party"},
		{"fsm/codec/bad.go", "reflect", "only these standard packages"},
		{"fsm/codec/bad.go", modulePath + "/cluster", "only fsm"},
		{"store/bad.go", modulePath + "/fsm", "only store/..."},
		{"store/bad.go", "github.com/hashicorp/memberlist", "denied"},
		{"cluster/bad.go", modulePath + "/api", "of this module"},
		{"cluster/bad.go", "flag", "denied"},
		{"cluster/bad.go", "github.com/gin-gonic/gin", "denied"},
		{"cluster/bad.go", modulePath + "/cluster/clustertest", "exists for tests"},
		{"cluster/batch/bad.go", modulePath + "/cluster", "of this module"},
		{"cluster/peer/bad_test.go", modulePath + "/cluster", "of this module"},
		{"cluster/gossip/bad.go", "github.com/hashicorp/raft", "denied"},
		{"api/bad.go", "github.com/hashicorp/raft-boltdb/v2", "denied"},
		{"api/bad.go", "flag", "denied"},
		{"api/bad.go", modulePath + "/cluster", "of this module"},
		{"api/bad.go", modulePath + "/cluster/peer", "of this module"},
		{"api/bad_test.go", modulePath + "/store", "of this module"},
		{"api/routes/bad.go", modulePath + "/cluster", "of this module"},
		{"api/bad.go", modulePath + "/cmd/creditd", "of this module"},
		{"api/client/bad.go", modulePath + "/api", "nothing of this module"},
		{"api/client/bad.go", "github.com/gin-gonic/gin", "no third-party"},
		{"api/bad.go", "github.com/stretchr/testify/require", "test library"},
		{"cmd/creditd/bad.go", modulePath + "/fsm/fsmtest", "exists for tests"},
		{"cmd/creditd/bad.go", modulePath + "/scripts/chaos", "of this module"},
		{"scripts/chaos/bad.go", modulePath + "/cmd/creditd", "of this module"},
		{"util/bad.go", "fmt", "has no row"},
		{"fsm/extra/bad.go", "fmt", "has no row"},
	} {
		t.Run(test.file+" "+test.imports, func(t *testing.T) {
			findings := arrowsOf(t, test.file, "package bad\n\nimport _ \""+test.imports+"\"\n")
			require.Len(t, findings, 1)
			require.Contains(t, findings[0], test.want)
		})
	}
}

// TestArrows_RefuseTheEnvironment: an import row cannot see os.Getenv, since os is needed for files.
func TestArrows_RefuseTheEnvironment(t *testing.T) {
	findings := arrowsOf(t, "cluster/bad.go", "package cluster\n\nimport sys \"os\"\n\nvar _ = sys.Getenv(\"X\")\n")
	require.Len(t, findings, 1)
	require.Contains(t, findings[0], "reads the environment")
}

// TestArrows_Allow shows that the guard does not refuse what the design asks for.
func TestArrows_Allow(t *testing.T) {
	for _, test := range []struct{ file, imports string }{
		{"api/good.go", modulePath + "/cluster/fault"},
		{"fsm/good_test.go", modulePath + "/fsm/fsmtest"},
		{"fsm/good_test.go", "time"},
		{"fsm/codec/good.go", "hash/crc32"},
		{"fsm/fsmtest/good.go", "pgregory.net/rapid"},
		{"cluster/good.go", modulePath + "/store"},
		{"cluster/good.go", "github.com/hashicorp/raft"},
		{"cluster/clustertest/good.go", modulePath + "/cluster"},
		{"store/good.go", "go.etcd.io/bbolt"},
		{"api/good.go", "github.com/gin-gonic/gin"},
		{"api/good_test.go", "flag"},
		{"cmd/creditd/good.go", modulePath + "/cluster"},
	} {
		require.Empty(t, arrowsOf(t, test.file, "package good\n\nimport _ \""+test.imports+"\"\n"))
	}
}

func arrowsOf(t *testing.T, name, text string) []string {
	t.Helper()
	fset := token.NewFileSet()
	file := parseSource(t, fset, name, text)
	return checkArrows(fset, sourcePackage{path: name[:strings.LastIndex(name, "/")], files: []sourceFile{file}})
}
