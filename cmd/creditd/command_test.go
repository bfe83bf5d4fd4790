package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// outputOf runs a command line and returns what it wrote.
func outputOf(env map[string]string, args ...string) (code int, stdout, stderr string) {
	in := here(env, args...)
	code = run(in)
	return code, in.stdout.(*bytes.Buffer).String(), in.stderr.(*bytes.Buffer).String()
}

// everyCommand returns the words of all commands.
func everyCommand() (paths [][]string) {
	paths = append(paths, nil)
	for _, r := range registry {
		path := strings.Fields(r.use)[:1]
		if r.group != "" {
			path = append(strings.Fields(r.group), path...)
		}
		paths = append(paths, path)
	}
	return paths
}

// TestHelp_EveryCommand: help goes to stdout and ends with 0, whichever way it is asked for.
func TestHelp_EveryCommand(t *testing.T) {
	require.Greater(t, len(everyCommand()), 10)
	for _, path := range everyCommand() {
		code, first, stderr := outputOf(nil, append([]string{"help"}, path...)...)
		require.Equal(t, exitDone, code, path)
		require.Contains(t, first, "Usage:\n  "+strings.Join(append([]string{"creditd"}, path...), " "), path)
		require.Empty(t, stderr, path)
		for line := range strings.Lines(first) {
			require.LessOrEqual(t, len([]rune(line)), helpWidth+len("\n"), "%v: %s", path, line)
		}
		for _, ask := range []string{"--help", "-h", "-help"} {
			code, second, _ := outputOf(nil, append(path, ask)...)
			require.Equal(t, exitDone, code, path)
			require.Equal(t, first, second, "%v %s", path, ask)
		}
		if len(path) == 1 && slices.Contains([]string{"cluster", "rootkey", "workspace"}, path[0]) {
			code, second, _ := outputOf(nil, path[0], "help")
			require.Equal(t, exitDone, code, path)
			require.Equal(t, first, second, path)
		}
	}
}

// TestHelp_NamesEverySetting with its variable and its default.
func TestHelp_NamesEverySetting(t *testing.T) {
	_, text, _ := outputOf(nil, "help", "server")
	leaf, _, err := commandTree(here(nil)).Find([]string{"server"})
	require.NoError(t, err)
	for _, option := range strings.Split(leaf.Flags().FlagUsages(), "\n") {
		for _, word := range strings.Fields(option) {
			require.Contains(t, text, word)
		}
	}
	for _, want := range []string{"CREDITD_ROOT_KEY ", "CREDITD_PEER_ADDR", "(default 127.0.0.1:7071)", "(default 256MiB)", "--idempotency-max-keys N"} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "--root-key KEY", "a secret is no argument")
}

func TestHelp_WinsOverMistakes(t *testing.T) {
	code, stdout, stderr := outputOf(nil, "server", "--log-level", "loud", "--help")
	require.Equal(t, exitDone, code)
	require.Contains(t, stdout, "Usage:\n  creditd server [flags]")
	require.Empty(t, stderr)
}

// TestHelp_HidesSecrets: a secret of the environment must not turn up in a help text.
func TestHelp_HidesSecrets(t *testing.T) {
	for _, path := range everyCommand() {
		_, stdout, _ := outputOf(map[string]string{"CREDITD_ROOT_KEY": "root_secret"}, append(path, "--help")...)
		require.NotContains(t, stdout, "root_secret")
	}
}

// TestCommand_NamesWhatExists when a word is none of the commands.
func TestCommand_NamesWhatExists(t *testing.T) {
	for _, args := range [][]string{{"serve"}, {"help", "serve"}, {"cluster", "evict"}, {"help", "cluster", "evict"}, {"gossip", "key", "evict"}, {"completion", "tcsh"}} {
		code, stdout, stderr := outputOf(nil, args...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, stderr, `unknown command "`+args[len(args)-1]+`"`)
		require.Empty(t, stdout)
	}
}

// TestCommand_OneDashIsEnough: command lines of earlier versions keep their meaning, and a value keeps its dash.
func TestCommand_OneDashIsEnough(t *testing.T) {
	root := commandTree(here(nil))
	require.Equal(t, []string{"server", "--data-dir", "x", "--insecure-gossip", "--join=a:1"},
		withTwoDashes(root, []string{"server", "-data-dir", "x", "-insecure-gossip", "-join=a:1"}))
	for _, same := range [][]string{{"rootkey", "create", "--expires", "-1h", "-o", "json", "-h"}, {"cluster", "remove", "--", "-addr"}, {"version", "", "-"}} {
		require.Equal(t, same, withTwoDashes(root, same))
	}
}

// TestCommand_UnknownFlag: a long flag has two dashes in the message, however many it had on the command line.
func TestCommand_UnknownFlag(t *testing.T) {
	for _, flag := range []string{"-nonsense", "--nonsense", "-nonsense=1", "--nonsense=1"} {
		code, _, stderr := outputOf(nil, "server", flag)
		require.Equal(t, exitUsage, code, flag)
		require.Equal(t, "creditd server: unknown flag: --nonsense\n'creditd help server' shows the usage.\n", stderr, flag)
	}
	_, _, stderr := outputOf(nil, "server", "-x")
	require.Contains(t, stderr, "unknown shorthand flag: 'x' in -x")
}

func TestVersion(t *testing.T) {
	for _, word := range []string{"version", "--version", "-version"} {
		code, stdout, _ := outputOf(nil, word)
		require.Equal(t, exitDone, code)
		require.Regexp(t, `^creditd v\S+ go1\.\S+ \w+/\w+\n$`, stdout)
	}
	code, _, stderr := outputOf(nil, "version", "now")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, `creditd version: unexpected argument "now"`)
}

func TestCompletion_EveryShell(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := outputOf(nil, "completion", shell)
		require.Equal(t, exitDone, code, stderr)
		require.Contains(t, stdout, "creditd")
	}
}

// TestCompletion_KnowsTheChoices: what the scripts ask for at each press of the tabulator.
func TestCompletion_KnowsTheChoices(t *testing.T) {
	for _, test := range []struct {
		args []string
		says []string
		not  string
	}{
		{[]string{"ser"}, []string{"server"}, "bench"},
		{[]string{"cluster", ""}, []string{"status", "remove", "transfer-leader"}, "server"},
		{[]string{"server", "--log-st"}, []string{"--log-store"}, "--log-level"},
		{[]string{"server", "--log-store", ""}, []string{"boltdb", "wal", ":4"}, "debug"},
		{[]string{"server", "--data-dir", ""}, []string{":16"}, ""}, // directories only
		{[]string{"server", "--tls-cert", ""}, []string{":0"}, ""},  // files
		{[]string{"server", "--root-k"}, []string{"--root-key-file"}, "--root-key\t"},
	} {
		_, stdout, _ := outputOf(nil, append([]string{"__complete"}, test.args...)...)
		for _, want := range test.says {
			require.Contains(t, stdout, want, test.args)
		}
		if test.not != "" {
			require.NotContains(t, stdout, test.not, test.args)
		}
	}
}

func TestMan_WritesAPageForEveryCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man1")
	code, _, stderr := outputOf(nil, "man", dir)
	require.Equal(t, exitDone, code, stderr)
	for _, path := range everyCommand() {
		text, err := os.ReadFile(filepath.Join(dir, strings.Join(append([]string{"creditd"}, path...), "-")+".1"))
		require.NoError(t, err)
		require.Contains(t, string(text), ".SH SYNOPSIS")
	}
	page, err := os.ReadFile(filepath.Join(dir, "creditd-server.1"))
	require.NoError(t, err)
	require.Contains(t, string(page), `CREDITD_PEER_ADDR`)

	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	code, _, stderr = outputOf(nil, "man", file)
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, file)
}
