package local

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func launch(t *testing.T, script string) *Process {
	t.Helper()
	p, err := Launch(filepath.Join(t.TempDir(), "log"), []string{"PATH=" + os.Getenv("PATH")}, "/bin/sh", "-c", script)
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

// A node that fell over and was started again must not pass for one that was killed.
func TestProcess_TellsACrashFromAKill(t *testing.T) {
	fell := launch(t, "exit 2")
	<-fell.Ended()
	fell.Kill()
	require.True(t, fell.Crashed())

	killed := launch(t, "exec sleep 60")
	require.False(t, killed.Crashed())
	killed.Kill()
	require.False(t, killed.Crashed())
	require.False(t, killed.Running())
}

func TestProcess_StopEndsAPausedProcess(t *testing.T) {
	p := launch(t, "trap 'exit 0' TERM; while :; do sleep 0.01; done")
	require.NoError(t, p.Pause())
	require.NoError(t, p.Resume())
	require.NoError(t, p.Pause())
	_ = p.Stop(10 * time.Second) // the shell may meet the signal before its trap is set
	require.False(t, p.Running())
	require.False(t, p.Crashed())
}

func TestProcess_StopKillsWhatDoesNotListen(t *testing.T) {
	p := launch(t, "trap '' TERM; echo ready; while :; do sleep 0.01; done")
	require.Eventually(t, func() bool {
		text, err := os.ReadFile(p.log.(*os.File).Name())
		return err == nil && len(text) > 0
	}, 10*time.Second, 5*time.Millisecond)
	require.Error(t, p.Stop(20*time.Millisecond))
	require.False(t, p.Running())
}

func TestFreeAddrs_AreDistinct(t *testing.T) {
	addrs, err := FreeAddrs(20)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, addr := range addrs {
		require.False(t, seen[addr])
		seen[addr] = true
	}
}
