package deploy

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/launch"
)

// TestDockerignore_LeavesTheSource: the build of the image gets every package of the program and its license, and nothing else.
func TestDockerignore_LeavesTheSource(t *testing.T) {
	text, err := os.ReadFile("Dockerfile.dockerignore")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Equal(t, "*", lines[1])
	kept := map[string]bool{}
	for _, line := range lines[2:] {
		kept[strings.TrimPrefix(line, "!")] = true
	}
	root, err := launch.Root()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", "nomsgpack", "./cmd/creditd")
	command.Dir = root
	packages, err := command.Output()
	require.NoError(t, err)
	needed := map[string]bool{"go.mod": true, "go.sum": true, "LICENSE": true, "NOTICE": true}
	for line := range strings.Lines(string(packages)) {
		if path, ours := strings.CutPrefix(strings.TrimSpace(line), "github.com/creditd/creditd/"); ours {
			folder, _, _ := strings.Cut(path, "/")
			needed[folder] = true
		}
	}
	require.Equal(t, needed, kept)
}
