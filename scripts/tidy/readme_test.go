package tidy

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever reads which Go to install must not find out from the compiler that it is too old.
func TestReadme_NamesTheGoVersionOfEveryModule(t *testing.T) {
	version := func(name string, pattern string) string {
		text, err := os.ReadFile(filepath.Join(moduleRoot(t), filepath.FromSlash(name)))
		require.NoError(t, err)
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		require.NotNil(t, found, "%s names no version of Go", name)
		return string(found[1])
	}
	want := version("go.mod", `(?m)^go (\S+)$`)
	for _, module := range []string{"scripts/sdk/go", "scripts/chaos/lincheck", "store/gometrics"} {
		require.Equal(t, want, version(module+"/go.mod", `(?m)^go (\S+)$`), module)
	}
	for _, page := range []string{"README.md", "CONTRIBUTING.md"} {
		require.Equal(t, want, version(page, `You need .*?\bGo (\d[\d.]*\d)`), page)
	}
}

// scripts/cluster shows the product as it is: it chooses no log store that the operator did not name.
func TestCluster_UsesTheDefaultLogStore(t *testing.T) {
	started := func(logStore string) string {
		dir := t.TempDir()
		node, arguments := filepath.Join(dir, "node"), filepath.Join(dir, "arguments")
		require.NoError(t, os.WriteFile(node, []byte("#!/bin/sh\necho \"$@\" >>"+arguments+"\n"), 0o700))
		up := exec.CommandContext(t.Context(), filepath.Join(moduleRoot(t), "scripts/cluster"), "up")
		up.Env = append(os.Environ(), "CREDITD_CLUSTER_DIR="+dir, "CREDITD_CLUSTER_BINARY="+node, "CREDITD_CLUSTER_LOG_STORE="+logStore,
			fmt.Sprintf("CREDITD_CLUSTER_PORT=%d", freePort(t)))
		out, err := up.CombinedOutput()
		require.ErrorContains(t, err, "exit status 1", "the nodes end at once: %s", out)
		var text []byte
		require.Eventually(t, func() bool {
			text, err = os.ReadFile(arguments)
			return err == nil && strings.Count(string(text), "\n") == 3
		}, 10*time.Second, 10*time.Millisecond)
		return string(text)
	}
	require.NotContains(t, started(""), "--log-store")
	require.Contains(t, started("boltdb"), "--log-store boltdb")
}

// freePort returns a port that nothing listened at a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().(*net.TCPAddr).Port
}
