package main

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

// startDev starts dev mode and returns what it printed once it was ready.
func startDev(t testing.TB, args ...string) (*process, string) {
	t.Helper()
	p := start(t, nil, append([]string{"dev", "--http-addr", "127.0.0.1:0"}, args...)...)
	p.await(p.stdout, `Stop it with Ctrl-C`)
	return p, p.stdout.String()
}

// pasted runs each printed request exactly as printed and returns the answers.
func pasted(t testing.TB, printed string) (answers []object) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("curl is not installed")
	}
	requests := regexp.MustCompile(`(?m)^curl .*$`).FindAllString(printed, -1)
	require.NotEmpty(t, requests)
	for _, request := range requests {
		out, err := exec.Command("sh", "-c", request).Output()
		require.NoError(t, err, request)
		var answer struct {
			Data  object `json:"data"`
			Error any    `json:"error"`
		}
		require.NoError(t, json.Unmarshal(out, &answer), "%s\n%s", request, out)
		require.Nil(t, answer.Error, "%s\n%s", request, out)
		answers = append(answers, answer.Data)
	}
	return answers
}

// The banner is the first thing anybody tries: what it prints has to work, unedited.
func TestDev_PrintedRequestsWork(t *testing.T) {
	t.Parallel()
	temporary := t.TempDir()
	p := start(t, []string{"TMPDIR=" + temporary}, "dev", "--http-addr", "127.0.0.1:0", "--demo")
	p.await(p.stdout, `Stop it with Ctrl-C`)
	require.Empty(t, p.stderr.String(), "a good start says nothing on stderr")

	answers := pasted(t, p.stdout.String())
	require.Len(t, answers, 6)
	for i, remaining := range []float64{99, 98, 88} {
		require.Equal(t, "VALID", answers[i]["code"])
		require.Equal(t, remaining, answers[i]["credits"])
	}
	require.Equal(t, 88.0, answers[3]["credits"].(object)["remaining"])
	require.Equal(t, 500.0, answers[4]["remaining"])
	nodes := answers[5]["nodes"].([]any)
	require.Len(t, nodes, 1)
	require.Equal(t, "leader", nodes[0].(object)["role"])
	require.Contains(t, p.stdout.String(), "http://"+nodes[0].(object)["httpAddr"].(string)+"/v2/", "the port in use, not 0")

	p.terminate()
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left, "the temporary directory is removed at exit")
}

// A root key may hold a quote; the shell must not see it as one.
func TestDev_FirstStepsWorkWithAnyRootKey(t *testing.T) {
	t.Parallel()
	p, printed := startDev(t, "--root-key", `it's$a"key\`)
	answers := pasted(t, printed)
	require.Len(t, answers, 3)
	require.NotEmpty(t, answers[0]["apiId"])
	require.NotEmpty(t, answers[1]["identityId"])
	p.terminate()
}

func TestDev_KeepsWhatItIsToldToKeep(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	p, first := startDev(t, "--data-dir", dir, "--demo")
	pasted(t, strings.Split(first, "# set the balance")[0])
	p.terminate()

	p, second := startDev(t, "--data-dir", dir, "--demo")
	rootKey := regexp.MustCompile(`root key  (\S+)`)
	require.Equal(t, rootKey.FindString(first), rootKey.FindString(second))
	require.Contains(t, second, "demo-customer: 88 credits")
	pasted(t, second)
	p.terminate()

	p, code := runs(t, nil, "dev", "--http-addr", "127.0.0.1:0", "--data-dir", dir, "--root-key", "another")
	require.Equal(t, exitFailed, code)
	require.Contains(t, p.stderr.String(), "holds a ledger with another root key")
}

func TestDev_SecondNodeNamesThePort(t *testing.T) {
	t.Parallel()
	_, printed := startDev(t)
	address := regexp.MustCompile(`node      http://(\S+)`).FindStringSubmatch(printed)[1]
	p, code := runs(t, nil, "dev", "--http-addr", address)
	require.Equal(t, exitFailed, code)
	require.Contains(t, p.stderr.String(), "--http-addr "+address+": the port is in use")
}
