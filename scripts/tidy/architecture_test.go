package tidy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var packageRow = regexp.MustCompile("(?m)^\\| \\[?`([\\w/]+)`")

// The map of packages in ARCHITECTURE.md has all of them, and nothing that is gone. It names each folder of scripts in the row of scripts.
func TestArchitecture_ListsEveryPackage(t *testing.T) {
	root := moduleRoot(t)
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	require.NoError(t, err)
	listed := map[string]bool{}
	for _, row := range packageRow.FindAllSubmatch(text, -1) {
		listed[string(row[1])] = true
		require.DirExists(t, filepath.Join(root, filepath.FromSlash(string(row[1]))))
	}
	for _, path := range goList(t, "./...") {
		path = strings.TrimPrefix(path, modulePath+"/")
		if folder, ok := strings.CutPrefix(path, "scripts/"); ok {
			folder, _, _ = strings.Cut(folder, "/")
			require.Regexp(t, "(?m)^\\| `scripts` .*`"+folder+"`", string(text))
			continue
		}
		require.Contains(t, listed, path, "ARCHITECTURE.md lists every package with what it holds")
	}
}
