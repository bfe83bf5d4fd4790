package tidy

import (
	"bytes"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSource_TestsWaitForConditions: a sleep is either too short on a busy machine or too long on every other.
func TestSource_TestsWaitForConditions(t *testing.T) {
	fset := token.NewFileSet()
	for _, pkg := range loadModule(t, fset) {
		if pkg.path != fakeTime {
			report(t, checkSleeps(fset, pkg))
		}
	}
}

// fakeTime is the package whose tests live in bubbles of testing/synctest, where a sleep takes no time and is exact.
const fakeTime = "cluster/simulation"

func checkSleeps(fset *token.FileSet, pkg sourcePackage) []string {
	var findings []string
	for _, file := range pkg.files {
		if !file.test && !isTestSupport(pkg.path) {
			continue
		}
		for _, use := range selections(file.syntax, "time", "Sleep") {
			findings = append(findings, fmt.Sprintf("%s: a test sleeps: wait for a condition with a deadline", fset.Position(use.Pos())))
		}
	}
	return findings
}

func TestSource_SleepIsFound(t *testing.T) {
	text := "package p\n\nimport clock \"time\"\n\nfunc wait() { clock.Sleep(1) }\n"
	for name, want := range map[string]int{"api/p_test.go": 1, "cluster/clustertest/p.go": 1, "api/p.go": 0} {
		fset := token.NewFileSet()
		file := parseSource(t, fset, name, text)
		pkg := sourcePackage{path: filepath.ToSlash(filepath.Dir(name)), files: []sourceFile{file}}
		require.Len(t, checkSleeps(fset, pkg), want, name)
	}
}

// TestSource_EveryPackageSaysWhatItIsFor: the package comment is where purpose, callers and invariants are kept.
func TestSource_EveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, pkg := range loadModule(t, token.NewFileSet()) {
		report(t, checkPackageComment(pkg))
	}
}

func checkPackageComment(pkg sourcePackage) []string {
	for _, file := range pkg.files {
		name := file.syntax.Name.Name
		if doc := file.syntax.Doc.Text(); name == "main" && doc != "" || strings.HasPrefix(doc, "Package "+name+" ") {
			return nil
		}
	}
	return []string{fmt.Sprintf("package %s has no comment that begins \"Package …\" (any comment for a command): write one in its doc.go", pkg.path)}
}

func TestSource_MissingPackageCommentIsFound(t *testing.T) {
	for text, want := range map[string]int{
		"package p\n":                              1,
		"// Something else.\npackage p\n":          1,
		"// Package p is for p.\n\npackage p\n":    1,
		"// Package p is for p.\npackage p\n":      0,
		"// Command p does p.\npackage main\n":     0,
		"package main\n\n// Not a package doc.\n":  1,
		"// Package other is for p.\npackage p2\n": 1,
	} {
		file := parseSource(t, token.NewFileSet(), "p/p.go", text)
		require.Len(t, checkPackageComment(sourcePackage{path: "p", files: []sourceFile{file}}), want, text)
	}
}

// foreign is text that no commit may have, such as what ties the project to one machine. The expressions do not match themselves.
var foreign = []struct {
	expression *regexp.Regexp
	why        string
}{
	{regexp.MustCompile(`(^|[^A-Za-z0-9_.$}-])/(work|root|farm|home|Users)/[A-Za-z0-9_.]`), "an absolute path of one machine"},
	{regexp.MustCompile(`(^|[^A-Za-z0-9_/.-])(\.\./)*shared/[A-Za-z]`), "a path outside the project"},
	{regexp.MustCompile(`(proxy|sum)\.golang\.org|registry\.npmjs\.org|files\.pythonhosted\.org|\bpypi\.org`), "a package registry's host: the go command's configuration says where modules come from"},
	{regexp.MustCompile(`^(<{7}|>{7}) `), "the mark of a conflict that nobody solved"},
}

// TestSource_StandsAlone: a clone must read and build the same on any machine.
func TestSource_StandsAlone(t *testing.T) {
	root := moduleRoot(t)
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git lists the files to read, and is not installed")
	}
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	for _, name := range strings.Split(strings.TrimRight(string(names), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted in the working tree only
		}
		require.NoError(t, err)
		report(t, checkText(name, text))
		report(t, checkNotBuilt(name, text))
	}
}

// checkNotBuilt finds programs: what a command leaves in the checkout is made again on every machine, and stays in the history for good.
func checkNotBuilt(name string, text []byte) []string {
	for _, magic := range []string{"\x7fELF", "MZ", "\xcf\xfa\xed\xfe"} {
		if bytes.HasPrefix(text, []byte(magic)) && bytes.IndexByte(text, 0) >= 0 {
			return []string{fmt.Sprintf("%s is a built program: remove it, or have git ignore it", name)}
		}
	}
	return nil
}

func TestSource_BuiltProgramIsFound(t *testing.T) {
	require.Len(t, checkNotBuilt("chaos", []byte("\x7fELF\x02\x01\x01\x00")), 1)
	require.Empty(t, checkNotBuilt("docs/p.md", []byte("MZ is how some programs begin")))
}

func checkText(name string, text []byte) []string {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil // not text
	}
	var findings []string
	for number, line := range bytes.Split(text, []byte("\n")) {
		for _, pattern := range foreign {
			if found := pattern.expression.Find(line); found != nil {
				findings = append(findings, fmt.Sprintf("%s:%d: %q is %s", name, number+1, found, pattern.why))
			}
		}
	}
	return findings
}

func TestSource_ForeignTextIsFound(t *testing.T) {
	// Put together here, since this file is read by the guard too.
	for _, bad := range []string{
		"see /" + "work/main", "cd /" + "root/x", "\"/" + "farm/y\"", "file:///" + "home/me", "../sha" + "red/API.md", "as sha" + "red/DESIGN says",
		"GOPROXY=https://proxy" + ".golang.org", "<<<<" + "<<< HEAD", ">>>>" + ">>> 0123abc (a commit)",
	} {
		require.Len(t, checkText("docs/p.md", []byte("first line\n"+bad+"\n")), 1, bad)
	}
	for _, good := range []string{
		"POST /v2/rootKeys.createRootKey", "a shared / exclusive lock", "$HOME/" + "work/x", "frame/" + "work/x", "golang.org/x/sys", "/work",
	} {
		require.Empty(t, checkText("docs/p.md", []byte(good)), good)
	}
}
