package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/unkeydb"
)

// The whole suite with a small database. make migrate has the large one.
func TestMigrate_SmallDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("starts MariaDB and three clusters")
	}
	if err := unkeydb.Installed(); err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	var out, failure bytes.Buffer
	code := run(t.Context(), []string{"-dir", t.TempDir(), "-keys", "1500", "-identities", "300", "-kills", "3", "-charges", "500"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)
	for _, check := range []string{"interrupted: passed", "cutover: passed", "page: passed"} {
		require.Contains(t, out.String(), check)
	}
}

func TestRun_RefusesSmallDatabases(t *testing.T) {
	var out bytes.Buffer
	require.Equal(t, 2, run(t.Context(), []string{"-keys", "10"}, &out, &out))
}
