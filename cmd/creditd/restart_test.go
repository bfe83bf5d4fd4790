package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/api/client"
)

// makeWork makes keys that take long enough to apply again.
func makeWork(t testing.TB, c *client.Client) {
	t.Helper()
	api := must[object](t, c, "apis.createApi", object{"name": "tests"})
	must[object](t, c, "migrations.createMigration", object{"migrationId": "old", "algorithm": "github.com/seamapi/prefixed-api-key"})
	for round := range 4 {
		var keys []object
		for i := range 10_000 {
			keys = append(keys, object{"hash": fmt.Sprintf("%032x%032x", round, i)})
		}
		got := must[struct{ Migrated []object }](t, c, "keys.migrateKeys", object{"migrationId": "old", "apiId": api["apiId"], "keys": keys})
		require.Len(t, got.Migrated, len(keys))
	}
}

func digestOf(t testing.TB, c *client.Client) string {
	t.Helper()
	return must[api.Status](t, c, "cluster.getStatus", object{}).Nodes[0].Digest.Value
}

// A node that is stopped in good order saves its ledger, so that the next start has next to nothing to apply again.
func TestRestart_AppliesNextToNothingAgain(t *testing.T) {
	t.Parallel()
	args := alone(t, filepath.Join(t.TempDir(), "data"))
	p, c := startMember(t, args...)
	makeWork(t, c)
	digest := digestOf(t, c)
	p.terminate()
	p, c = startMember(t, args...)
	require.Contains(t, p.stderr.String(), digest, "the snapshot has all of it")
	require.Equal(t, digest, digestOf(t, c))
	applied := regexp.MustCompile(`(?m)^creditd_entry_stage_seconds_count\{stage="apply"\} (\d+)$`).FindStringSubmatch(metricsOf(t, c))
	require.NotNil(t, applied)
	entries, err := strconv.Atoi(applied[1])
	require.NoError(t, err)
	require.Less(t, entries, 10)
	p.terminate()
}

// A node may be killed while it saves its ledger, or find no space for it. It loses nothing, and stops all the same.
func TestRestart_LosesNothingIfTheLedgerIsNotSaved(t *testing.T) {
	t.Parallel()
	faulty, err := chaosBinary()
	require.NoError(t, err)
	for _, fault := range []struct {
		name, text string
		killed     bool
	}{
		{"failpoints", "snapshot-captured=kill", true}, {"failpoints", "install-before-rename=kill", true},
		{"failpoints", "install-after-rename=kill", true}, {"failpoints", "snapshot-persisted=kill", true}, {"disk-free", "10MiB", false},
	} {
		t.Run(fault.text, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			args := alone(t, dir)
			p := startBinary(t, faulty, []string{"CREDITD_ROOT_KEY=" + testRootKey}, args...)
			p.await(p.stderr, `msg=ready`)
			c := p.client(testRootKey)
			makeWork(t, c)
			digest := digestOf(t, c)
			plant(t, dir, fault.name, fault.text)
			p.await(p.stderr, `msg=planted file=`+fault.name)
			p.signal(syscall.SIGTERM)
			code := p.wait()
			if fault.killed {
				require.Equal(t, syscall.SIGKILL, p.State().Sys().(syscall.WaitStatus).Signal())
			} else {
				require.Equal(t, exitDone, code)
			}
			p, c = startMember(t, args...)
			require.Equal(t, digest, digestOf(t, c))
			p.terminate()
		})
	}
}
