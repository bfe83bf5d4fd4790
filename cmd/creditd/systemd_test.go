package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestServer_TellsSystemd what a unit of Type=notify waits for.
func TestServer_TellsSystemd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address := filepath.Join(dir, "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	require.NoError(t, err)
	defer socket.Close()
	next := func() string {
		buffer := make([]byte, 4096)
		require.NoError(t, socket.SetReadDeadline(time.Now().Add(patience)))
		n, err := socket.Read(buffer)
		require.NoError(t, err)
		return string(buffer[:n])
	}

	p := start(t, []string{"NOTIFY_SOCKET=" + address, "CREDITD_ROOT_KEY=" + testRootKey}, alone(t, filepath.Join(dir, "data"))...)
	require.Contains(t, strings.Split(next(), "\n"), "READY=1")
	require.Equal(t, "STATUS=ready", next())
	p.terminate()
	require.Contains(t, strings.Split(next(), "\n"), "STOPPING=1")
}
