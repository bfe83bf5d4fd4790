package store_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// holdDirectory is the second process: it opens the directory, says so, and keeps
// it until its input ends.
func holdDirectory(dir string) {
	s, err := store.Open(store.Options{Dir: dir})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("open", s.NodeID())
	_, _ = bufio.NewReader(os.Stdin).ReadByte()
	os.Exit(0) // without Close: the kernel must give the lock free
}

// Two processes in one directory would destroy it.
func TestOpen_RefusesADirectoryInUse(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STORE_TEST_HOLD="+dir)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "open node_")

	refuse(t, store.Options{Dir: dir}, store.KindLocked, dir, fmt.Sprintf("process %d", cmd.Process.Pid))
	require.NoError(t, stdin.Close())
	require.NoError(t, cmd.Wait())
	require.Contains(t, line, mustOpen(t, dir).NodeID())
}
