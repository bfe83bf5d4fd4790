package launch

import (
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func launch(t *testing.T, script string, out io.Writer) *Process {
	t.Helper()
	p, err := Start(Command{Binary: "/bin/sh", Args: []string{"-c", script}, Stdout: out, Stderr: out})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

// A node that fell over and was started again must not pass for one that was killed.
func TestProcess_TellsACrashFromAKill(t *testing.T) {
	fell := launch(t, "exit 2", nil)
	<-fell.Ended()
	fell.Kill()
	require.True(t, fell.Crashed())

	killed := launch(t, "exec sleep 60", nil)
	require.False(t, killed.Crashed())
	killed.Kill()
	require.False(t, killed.Crashed())
	require.False(t, killed.Running())
}

func TestProcess_StopEndsAPausedProcess(t *testing.T) {
	p := launch(t, "trap 'exit 0' TERM; while :; do sleep 0.01; done", nil)
	require.NoError(t, p.Pause())
	require.NoError(t, p.Resume())
	require.NoError(t, p.Pause())
	_ = p.Stop(10 * time.Second) // the shell may meet the signal before its trap is set
	require.False(t, p.Running())
	require.False(t, p.Crashed())
}

func TestProcess_StopKillsWhatDoesNotListen(t *testing.T) {
	reader, writer := io.Pipe()
	p := launch(t, "trap '' TERM; echo ready; while :; do sleep 0.01; done", writer)
	_, err := io.ReadFull(reader, make([]byte, 1))
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	require.Error(t, p.Stop(20*time.Millisecond))
	require.False(t, p.Running())
}

// A node that is expected to exit and does so later, when it is not expected any more, has crashed.
func TestProcess_AnExpectedExitIsNoCrash(t *testing.T) {
	for _, expected := range []bool{true, false} {
		reader, writer, err := os.Pipe()
		require.NoError(t, err)
		command := exec.Command("/bin/sh", "-c", "read line; exit 3")
		command.Stdin = reader
		p, err := start(command)
		require.NoError(t, err)
		p.expectExit(true)
		p.expectExit(expected)
		require.NoError(t, writer.Close())
		<-p.Ended()
		require.NoError(t, reader.Close())
		require.Equal(t, !expected, p.Crashed())
	}
}

func TestFreeAddrs_AreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for range 4 {
		addrs, err := FreeAddrs(5)
		require.NoError(t, err)
		for _, addr := range addrs {
			require.False(t, seen[addr])
			seen[addr] = true
		}
	}
}

func TestConverged_NeedsALeaderAndOneState(t *testing.T) {
	node := func(index uint64, digest string) NodeStatus {
		n := NodeStatus{NodeID: "n", AppliedIndex: index, Role: "leader"}
		n.Digest.Index, n.Digest.Value = index, digest
		return n
	}
	past := NodeStatus{NodeID: "past", Role: "unknown"}
	digest, err := Status{LeaderID: "n", Nodes: []NodeStatus{past, node(5, "a"), node(5, "a")}}.converged(2)
	require.NoError(t, err)
	require.Equal(t, "a", digest)
	for name, status := range map[string]Status{
		"leader": {Nodes: []NodeStatus{node(5, "a"), node(5, "a")}},
		"nodes":  {LeaderID: "n", Nodes: []NodeStatus{node(5, "a")}},
		"index":  {LeaderID: "n", Nodes: []NodeStatus{node(5, "a"), node(6, "a")}},
		"digest": {LeaderID: "n", Nodes: []NodeStatus{node(5, "a"), node(5, "b")}},
		"empty":  {LeaderID: "n", Nodes: []NodeStatus{node(5, ""), node(5, "")}},
	} {
		_, err := status.converged(2)
		require.Error(t, err, name)
	}
}
