package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api"
	"github.com/creditd/creditd/scripts/launch"
)

// statusColumns are the columns of a row of `creditd cluster status`, by their names. No cell of a healthy cluster has a space.
func statusColumns(t testing.TB, printed, id string) map[string]string {
	t.Helper()
	header := regexp.MustCompile(`(?m)^NODE .*$`).FindString(printed)
	row := regexp.MustCompile(`(?m)^` + id + ` .*$`).FindString(printed)
	names, cells := strings.Fields(header), strings.Fields(row)
	require.Equal(t, len(names), len(cells), printed)
	columns := map[string]string{}
	for i, name := range names {
		columns[name] = cells[i]
	}
	return columns
}

// TestHandbook_Upgrade follows docs/upgrading.md from one build to the next: each check says when to go on.
func TestHandbook_Upgrade(t *testing.T) {
	t.Parallel()
	const before, after = "v1.2.3-test", "v1.2.4-test"
	next, err := launch.Build{Race: launch.RaceEnabled, Version: after}.Into(t.Context(), t.TempDir())
	require.NoError(t, err)
	h, c := openHandbook(t), startTrio(t)
	admin := filepath.Join(h.dir, "admin")
	env := map[string]string{"ADMIN": admin, "KEY": admin, "BACKUP_KEY": filepath.Join(h.dir, "backup-key"), "NODE": "http://" + c.addr(0)}
	require.NoError(t, os.WriteFile(admin, []byte(testRootKey+"\n"), 0o600))
	granted := regexp.MustCompile(`unkey_\w+|root_\w+`).FindString(h.run("grant", env))
	require.NoError(t, os.WriteFile(env["BACKUP_KEY"], []byte(granted+"\n"), 0o600))
	key := addCustomer(t, c.client(0), "alice", 1_000_000)

	printed := h.run("before", env)
	for i := range c.nodes {
		row := statusColumns(t, printed, c.id(i))
		require.Equal(t, []string{before, "alive", "voter"}, []string{row["BUILD"], row["HEALTH"], row["MEMBERSHIP"]})
	}
	code, stdout, stderr := outputOf(nil, "snapshot", "verify", filepath.Join(h.dir, "before-upgrade.snapshot"))
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, "the whole ledger")

	var order []int // the leader last
	leader := must[api.Status](t, c.client(0), "cluster.getStatus", object{}).LeaderID
	for i := range c.nodes {
		if c.id(i) != leader {
			order = append(order, i)
		}
	}
	for i := range c.nodes {
		if c.id(i) == leader {
			order = append(order, i)
		}
	}
	for _, i := range order {
		id, other := c.id(i), (i+1)%3
		c.nodes[i].terminate()
		await(t, func() bool { // the check would stop an operator who does not wait
			_, code := c.ask("http://"+c.addr(other), "cluster", "status")
			return code == exitFailed
		})
		c.nodes[i] = startBinary(t, next, []string{"CREDITD_ROOT_KEY=" + testRootKey}, c.args[i]...)
		env["UPGRADED"] = "http://" + c.addr(i)
		h.run("serves", env)
		printed = h.run("upgraded", env)
		row := statusColumns(t, printed, id)
		require.Equal(t, []string{after, "voter"}, []string{row["BUILD"], row["MEMBERSHIP"]})
		require.Regexp(t, `^\d-\d$`, row["READS"])
		require.Regexp(t, `^\d{1,2}$`, row["LAG"])
		digests := map[string]string{}
		for j := range c.nodes {
			digest, at, found := strings.Cut(statusColumns(t, printed, c.id(j))["DIGEST"], "@")
			if earlier, same := digests[at]; found && same {
				require.Equal(t, earlier, digest, printed)
			}
			digests[at] = digest
		}
		must[object](t, c.client(i), "keys.verifyKey", object{"key": key})
	}
	for i := range c.nodes {
		require.Equal(t, after, statusColumns(t, printed, c.id(i))["BUILD"])
	}
	require.EqualValues(t, 999_997, balance(t, c.client(0), "alice"))
	c.stop()
}
