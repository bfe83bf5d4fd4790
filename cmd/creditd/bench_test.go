package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cmd/creditd/internal/load"
)

func benched(t *testing.T, env map[string]string, args ...string) *benchCommand {
	t.Helper()
	bench := &benchCommand{config: load.DefaultConfig()}
	require.NoError(t, settle(t, here(env, args...), bench))
	return bench
}

func TestBench_ReadsFlagsAndEnvironment(t *testing.T) {
	env := map[string]string{"CREDITD_ROOT_KEY": "root_env"}
	bench := benched(t, env, "--addr", "a:1,http://b:2", "--addr=c:3", "--connections", "6", "--duration", "3s", "--rate", "2.5", "--json", "--identity-shared")
	require.True(t, bench.output.asJSON)
	require.False(t, bench.config.Keep)
	require.True(t, bench.config.IdentityShared)
	require.Equal(t, []string{"a:1", "b:2", "c:3"}, bench.config.Addrs)
	require.Equal(t, "root_env", bench.config.RootKey)
	require.Equal(t, 3*time.Second, bench.config.Duration)
	require.Equal(t, 2.5, bench.config.Rate)
	bench = benched(t, env, "--root-key", "root_flag", "-o", "json", "--keep")
	require.Equal(t, "json", bench.output.form)
	require.True(t, bench.config.Keep)
	require.Equal(t, "root_flag", bench.config.RootKey)
	require.Equal(t, []string{"127.0.0.1:7070"}, bench.config.Addrs)
}

// Wrong usage is told apart from a failed measurement by its exit code.
func TestBench_WrongUsage(t *testing.T) {
	env := map[string]string{"CREDITD_ROOT_KEY": "root_test"}
	for _, args := range [][]string{
		{"--nonsense"}, {"extra"}, {"--connections", "0"}, {"--duration", "-1s"}, {"--duration", "0s"}, {"--rate", "-1"}, {"--rate", "NaN"},
		{"--cost", "-1"}, {"--keys", "0"}, {"--batch", "1001"}, {"--addr", ""}, {"--addr", "a:1,b:2", "--connections", "1"}, {"--warmup", "-1s"},
	} {
		code, stdout, stderr := outputOf(env, append([]string{"bench"}, args...)...)
		require.Equal(t, exitUsage, code, "%v", args)
		require.Empty(t, stdout)
		require.Contains(t, stderr, "creditd bench:")
	}
	in := here(nil, "bench")
	require.Equal(t, exitUsage, run(in))
	require.Contains(t, in.stderr.(*bytes.Buffer).String(), "--root-key: missing")
}
