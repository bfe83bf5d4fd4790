package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

var (
	codeSpan  = regexp.MustCompile("`([^`\n]+)`")
	splitText = regexp.MustCompile(`"\s*\+\s*"`)
	metric    = regexp.MustCompile(`^creditd_[a-z_]+`)
)

// sourceText is the source of the product; a text that is written in parts is whole.
func sourceText(t testing.TB) string {
	t.Helper()
	var all strings.Builder
	for _, part := range []string{"api", "cluster", "cmd", "fsm", "store"} {
		require.NoError(t, filepath.WalkDir(filepath.Join("..", "..", part), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			all.Write(text)
			return err
		}))
	}
	return splitText.ReplaceAllString(all.String(), "")
}

// Every message of the table of failures is one that the product writes. Metrics, flags and commands of the whole handbook exist.
func TestHandbook_NamesWhatExists(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "operating.md"))
	require.NoError(t, err)
	metrics, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	require.NoError(t, err)
	tree := commandTree(here(nil))
	flags := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) { flags["--"+f.Name] = true }) // former names, too
		for _, below := range c.Commands() {
			visit(below)
		}
	}
	visit(tree)
	for _, span := range codeSpan.FindAllStringSubmatch(string(page), -1) {
		words := strings.Fields(span[1])
		switch {
		case metric.MatchString(span[1]):
			require.Contains(t, string(metrics), "`"+metric.FindString(span[1])+"`", "docs/metrics.md does not have it")
		case words[0] == "creditd":
			found, _, err := tree.Find(words[1:])
			require.NoError(t, err, span[1])
			require.NotEqual(t, tree, found, span[1])
		case strings.HasPrefix(words[0], "--"):
			require.True(t, flags[words[0]], "no command has %s", words[0])
		}
	}

	_, table, found := strings.Cut(string(page), "\n## What goes wrong\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	source, rows, messages := sourceText(t), 0, 0
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		require.Equal(t, 4, strings.Count(line, "|"), line)
		rows++
		for _, span := range codeSpan.FindAllStringSubmatch(line, -1) {
			if strings.Contains(span[1], " ") && !strings.HasPrefix(span[1], "creditd") && !strings.HasPrefix(span[1], "--") {
				messages++
				require.Contains(t, source, span[1], "the product writes no such message")
			}
		}
	}
	require.Greater(t, rows, 25)
	require.Greater(t, messages, 25)
}
