package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/scripts/launch"
)

// listeningPorts returns the ports on which a process listens or receives packets.
func listeningPorts(t testing.TB, pid int) []string {
	t.Helper()
	own := make(map[string]bool)
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Skip("this system does not show which sockets a process has")
	}
	for _, d := range descriptors {
		if target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, d.Name())); err == nil {
			own[target] = true
		}
	}
	const listens, connectionless = "0A", "07"
	var ports []string
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		require.NoError(t, err)
		for line := range strings.Lines(string(data)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && (fields[3] == listens || fields[3] == connectionless) && own["socket:["+fields[9]+"]"] {
				ports = append(ports, table+" "+fields[1])
			}
		}
	}
	return ports
}

// A node that has no other nodes has no use for their ports, and every user of the machine could reach them.
func TestDoors_ANodeAloneOpensHTTPOnly(t *testing.T) {
	t.Parallel()
	p, _ := startDev(t)
	require.Len(t, listeningPorts(t, p.PID()), 1)
	p.terminate()

	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"server", "--data-dir", dir, "--http-addr", "127.0.0.1:0", "--heartbeat-timeout", "200ms", "--election-timeout", "200ms"}
	for _, more := range [][]string{{"--bootstrap-expect", "1"}, nil} { // founding it, and as a node that was here before
		p, c := startMember(t, append(args, more...)...)
		require.Len(t, listeningPorts(t, p.PID()), 1)
		require.NotContains(t, p.stderr.String(), "can take the cluster over")
		require.Contains(t, p.stderr.String(), "peer=closed gossip=closed")
		require.Empty(t, must[api.Status](t, c, "cluster.getStatus", object{}).Nodes[0].PeerAddr)
		p.terminate()
	}
}

// A node whose data directory knows other nodes opens the ports for them, whatever it is told.
func TestDoors_ANodeWithOthersOpensItsPorts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	gossip := freeAddress(t)
	first, c := startMember(t, alone(t, dir, "--gossip-addr", gossip)...)
	second := start(t, nil, "server", "--data-dir", filepath.Join(t.TempDir(), "data"), "--http-addr", "127.0.0.1:0", "--join", gossip,
		"--peer-addr", freeAddress(t), "--gossip-addr", freeAddress(t))
	await(t, func() bool { return len(must[api.Status](t, c, "cluster.getStatus", object{}).Nodes) == 2 })
	second.await(second.stderr, `msg=ready`)
	first.terminate()
	p, code := runs(t, nil, "dev", "--http-addr", "127.0.0.1:0", "--data-dir", dir)
	require.Equal(t, exitFailed, code)
	require.Contains(t, p.stderr.String(), "belongs to a cluster with other nodes")

	// The defaults of the ports are taken if another node of this machine has them, and said if so.
	p = start(t, nil, "server", "--data-dir", dir, "--http-addr", "127.0.0.1:0")
	await(t, func() bool {
		said := p.stderr.String()
		return strings.Contains(said, "peer="+defaultPeerAddr+" gossip="+defaultGossipAddr) || strings.Contains(said, "the port is in use")
	})
}

// Who can reach the ports can take the cluster over. A node says so at every start, and says nothing once there is a secret.
func TestDoors_SaysThatTheyAreOpen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	args := alone(t, dir)
	for range 2 {
		p, _ := startMember(t, args...)
		require.Regexp(t, `level=WARN msg="every user of this machine can take the cluster over: .*cluster-secret-file.* open="\[--peer-addr 127.* --gossip-addr 127`, p.stderr.String())
		p.terminate()
	}
	made, code := runs(t, nil, "secret", "new")
	require.Equal(t, exitDone, code)
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(made.stdout.String()), 0o600))
	p, _ := startMember(t, append(args, "--cluster-secret-file", file)...)
	require.NotContains(t, p.stderr.String(), "can take the cluster over")
	p.terminate()
}

// One secret is all that the nodes of a cluster need, and who does not have it gets nowhere.
func TestDoors_ASecretIsEnough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gossip := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	peers := []string{freeAddress(t), freeAddress(t), freeAddress(t)}
	member := func(name string, i int, secret string) *process {
		return start(t, []string{"CREDITD_ROOT_KEY=" + testRootKey, "CREDITD_CLUSTER_SECRET=" + secret}, "server",
			"--data-dir", filepath.Join(dir, name), "--bootstrap-expect", "3", "--join", strings.Join(gossip, ","),
			"--http-addr", "127.0.0.1:0", "--peer-addr", peers[i], "--gossip-addr", gossip[i])
	}
	var nodes []*process
	for i := range 3 {
		nodes = append(nodes, member(fmt.Sprint(i), i, launch.ClusterSecret))
	}
	for _, p := range nodes {
		p.await(p.stderr, `msg=ready`)
	}
	c := nodes[0].client(testRootKey)
	key := addCustomer(t, c, "customer", 10)
	for i, p := range nodes {
		require.EqualValues(t, 9-i, must[object](t, p.client(testRootKey), "keys.verifyKey", object{"key": key})["credits"])
	}

	// The peer port hangs up on whoever does not speak TLS.
	conn, err := net.Dial("tcp", peers[0])
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = conn.Write([]byte{0xCE, 0xDC, 2, 'c', 0, 0, 0, 3, 1, 3, 0}) // asks for the status
	require.NoError(t, err)
	answer := make([]byte, 64)
	n, _ := conn.Read(answer)
	require.NotContains(t, string(answer[:n]), "node_")
	require.NoError(t, conn.Close())

	// A node with another secret is seen by nobody.
	gossip, peers = append(gossip, freeAddress(t)), append(peers, freeAddress(t))
	other := member("other", 3, strings.Repeat("0123456789abcdef", 4))
	other.await(other.stderr, "no other node answers yet")
	require.Len(t, must[api.Status](t, c, "cluster.getStatus", object{}).Nodes, 3)
	for _, p := range append(nodes, other) {
		p.signal(syscall.SIGTERM)
	}
	for _, p := range nodes {
		require.Equal(t, exitDone, p.wait())
	}
}
