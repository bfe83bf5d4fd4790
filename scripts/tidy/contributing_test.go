package tidy

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	// newFile introduces a block that is a whole file; inserted introduces lines that go behind a line of a file.
	newFile  = regexp.MustCompile("(?ms)`([\\w./]+\\.go)`:\n\n```go\n(.*?)^```")
	inserted = regexp.MustCompile("(?ms)In `([\\w./]+\\.go)`, after `([^`]+)`:\n\n```go\n(.*?)^```")
)

// The worked example of CONTRIBUTING.md builds. An example that does not is worse than none.
func TestContributing_ExampleBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles half of the project: make test does it")
	}
	root := moduleRoot(t)
	text, err := os.ReadFile(filepath.Join(root, "CONTRIBUTING.md"))
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(root, "fsm", "version.go"))
	require.NoError(t, err)
	newest := regexp.MustCompile(`newestRelease uint64 = (\d+)`).FindSubmatch(source)
	require.NotNil(t, newest)
	require.Contains(t, string(text), "since: "+string(newest[1])+", event", "the example comes with the newest ledger version, as a new command does")
	overlay := exampleOverlay(t, root, string(text))
	require.GreaterOrEqual(t, len(overlay), 4, "a command, its row, an endpoint and its row")

	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(file, replace, 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "./fsm/...", "./api/...") // what it adds to
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// exampleOverlay returns what the blocks of a text make of the source: by file, the file to read instead.
func exampleOverlay(t *testing.T, root, text string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	overlay := map[string]string{}
	put := func(name, content string) {
		path := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		overlay[filepath.Join(root, filepath.FromSlash(name))] = path
	}
	for _, block := range newFile.FindAllStringSubmatch(text, -1) {
		require.NoFileExists(t, filepath.Join(root, filepath.FromSlash(block[1])), "the example shows a new file")
		put(block[1], block[2])
	}
	for _, block := range inserted.FindAllStringSubmatch(text, -1) {
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(block[1])))
		require.NoError(t, err)
		lines := strings.SplitAfter(string(source), "\n")
		var changed strings.Builder
		found := false
		for _, line := range lines {
			changed.WriteString(line)
			if !found && strings.Contains(line, block[2]) {
				found = true
				changed.WriteString(block[3])
			}
		}
		require.True(t, found, "%s has no line with %s", block[1], block[2])
		put(block[1], changed.String())
	}
	return overlay
}

// An example that does not fit the source is found.
func TestContributing_MissingPlaceIsFound(t *testing.T) {
	blocks := inserted.FindAllStringSubmatch("In `fsm/registry.go`, after `&deleteKeyType`:\n\n```go\n\t&x,\n```\n", -1)
	require.Len(t, blocks, 1)
	require.Equal(t, []string{"fsm/registry.go", "&deleteKeyType", "\t&x,\n"}, blocks[0][1:])
	require.Empty(t, newFile.FindAllStringSubmatch("```go\npackage x\n```\n", -1))
}
