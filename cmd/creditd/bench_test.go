package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseBench_ReadsFlagsAndEnvironment(t *testing.T) {
	var out bytes.Buffer
	config, asJSON, err := parseBench([]string{
		"--addr", "a:1,http://b:2", "--addr=c:3", "--connections", "6", "--duration", "3s", "--json", "--identity-shared",
	}, "root_env", &out)
	require.NoError(t, err)
	require.True(t, asJSON)
	require.True(t, config.IdentityShared)
	require.Equal(t, []string{"a:1", "b:2", "c:3"}, config.Addrs)
	require.Equal(t, "root_env", config.RootKey)
	require.Equal(t, 3*time.Second, config.Duration)
	config, _, err = parseBench([]string{"--root-key", "root_flag"}, "root_env", &out)
	require.NoError(t, err)
	require.Equal(t, "root_flag", config.RootKey)
	require.Equal(t, []string{"127.0.0.1:7070"}, config.Addrs)
	require.Empty(t, out.String())
}

// Wrong usage is told apart from a failed measurement by its exit code.
func TestBenchCommand_WrongUsage(t *testing.T) {
	t.Setenv("CREDITD_ROOT_KEY", "root_test")
	for _, args := range [][]string{
		{"--nonsense"}, {"extra"}, {"--connections", "0"}, {"--duration", "-1s"}, {"--rate", "-1"}, {"--rate", "NaN"},
		{"--cost", "-1"}, {"--keys", "0"}, {"--batch", "1001"}, {"--addr", ""}, {"--addr", "a:1,b:2", "--connections", "1"},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitUsage, benchCommand(args, &stdout, &stderr), "%v", args)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), "creditd bench:")
	}
	t.Setenv("CREDITD_ROOT_KEY", "")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitUsage, benchCommand(nil, &stdout, &stderr))
	require.Contains(t, stderr.String(), "root key")
}

// A secret in the environment must not turn up in a help text.
func TestBenchCommand_HelpGoesToStdout(t *testing.T) {
	t.Setenv("CREDITD_ROOT_KEY", "root_secret")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitDone, benchCommand([]string{"--help"}, &stdout, &stderr))
	require.Contains(t, stdout.String(), "-connections")
	require.NotContains(t, stdout.String(), "root_secret")
	require.Empty(t, stderr.String())
}
