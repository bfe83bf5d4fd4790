package main

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/launch"
)

// chaosBinary builds the program with failpoints, once.
var chaosBinary = sync.OnceValues(func() (string, error) {
	return launch.Build{Tags: launch.Faulty}.Into(context.Background(), filepath.Dir(binary))
})

// plant injects a fault into a node by a file beside its data directory.
func plant(t testing.TB, dataDir, name, text string) {
	t.Helper()
	require.NoError(t, launch.Inject(dataDir, name, text))
}

// TestChaos_DiesWhereItIsTold: a node that dies between the commit of a debit and its answer has debited. The product does not look at the
// file.
func TestChaos_DiesWhereItIsTold(t *testing.T) {
	t.Parallel()
	faulty, err := chaosBinary()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "data")
	args := alone(t, dir)
	p := startBinary(t, faulty, []string{"CREDITD_ROOT_KEY=" + testRootKey}, args...)
	p.await(p.stderr, `msg=ready`)
	c := p.client(testRootKey)
	key := addCustomer(t, c, "customer", 10)
	plant(t, dir, "failpoints", "reply-before-local=kill")
	p.await(p.stderr, `msg=planted file=failpoints`)
	require.Error(t, c.Call(context.Background(), "keys.verifyKey", object{"key": key}, nil).Err)
	p.wait()
	require.Equal(t, syscall.SIGKILL, p.State().Sys().(syscall.WaitStatus).Signal())

	p, c = startMember(t, args...)
	require.EqualValues(t, 9, balance(t, c, "customer"))
	require.NotContains(t, p.stderr.String(), "planted")
	p.terminate()
}

// TestChaos_RefusesWhatItCannotPlant: a misspelt failpoint would make a test that tests nothing.
func TestChaos_RefusesWhatItCannotPlant(t *testing.T) {
	t.Parallel()
	faulty, err := chaosBinary()
	require.NoError(t, err)
	for name, text := range map[string]string{"failpoints": "nowhere=kill", "clock": "soon"} {
		dir := filepath.Join(t.TempDir(), "data")
		plant(t, dir, name, text)
		p := startBinary(t, faulty, nil, alone(t, dir)...)
		require.Equal(t, exitFailed, p.wait())
		require.Contains(t, p.stderr.String(), filepath.Join(dir+".chaos", name))
	}
}

// TestChaos_TheClockOfAnotherAgeIsNotFollowed: with the wall clock a year ahead the credits of tomorrow are not there, and the metrics say
// what is wrong.
func TestChaos_TheClockOfAnotherAgeIsNotFollowed(t *testing.T) {
	t.Parallel()
	faulty, err := chaosBinary()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "data")
	p := startBinary(t, faulty, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, dir)...)
	p.await(p.stderr, `msg=ready`)
	c := p.client(testRootKey)
	api := must[object](t, c, "apis.createApi", object{"name": "tests"})
	key := must[object](t, c, "keys.createKey", object{"apiId": api["apiId"], "credits": object{
		"remaining": 1, "refill": object{"interval": "daily", "amount": 1},
	}})["key"]
	code := func() any { return must[object](t, c, "keys.verifyKey", object{"key": key})["code"] }
	require.Equal(t, "VALID", code())
	plant(t, dir, "clock", "8760h")
	p.await(p.stderr, `msg=planted file=clock`)
	require.Equal(t, "USAGE_EXCEEDED", code())
	p.await(p.stderr, `the wall clock jumped`)
	require.Equal(t, "USAGE_EXCEEDED", code())
	require.Contains(t, metricsOf(t, c), "creditd_clock_fit 0")
	plant(t, dir, "clock", "")
	p.await(p.stderr, `this node's time is right again`)
	p.terminate()
}

// TestChaos_ANodeWhoseDiskIsNearlyFull refuses changes over HTTP as not executed and answers reads. It accepts changes again when there is
// space.
func TestChaos_ANodeWhoseDiskIsNearlyFull(t *testing.T) {
	t.Parallel()
	faulty, err := chaosBinary()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "data")
	p := startBinary(t, faulty, []string{"CREDITD_ROOT_KEY=" + testRootKey}, alone(t, dir)...)
	p.await(p.stderr, `msg=ready`)
	c := p.client(testRootKey)
	addCustomer(t, c, "customer", 10)
	change := func() error {
		return c.Call(context.Background(), "identities.updateCredits", object{"identity": "customer", "operation": "set", "value": 7}, nil).Err
	}
	plant(t, dir, "disk-free", "10MiB")
	p.await(p.stderr, `the disk is nearly full`)
	err = change()
	require.ErrorContains(t, err, "503")
	require.ErrorContains(t, err, "The disk of node_")
	require.EqualValues(t, 10, balance(t, c, "customer"))
	require.Equal(t, http.StatusOK, statusOf(t, c.Node()+"/readyz"))
	require.Contains(t, metricsOf(t, c), "creditd_store_no_room 1")
	plant(t, dir, "disk-free", "")
	p.await(p.stderr, `the disk has free space again`)
	require.NoError(t, change())
	require.EqualValues(t, 7, balance(t, c, "customer"))
	p.terminate()
}
