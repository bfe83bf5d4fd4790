package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole suite with few keys on single nodes. A busy machine keeps no bound of time, so that one is wide: make export has the true one.
func TestExport_FewKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("builds creditd and starts two nodes")
	}
	var out, failure bytes.Buffer
	code := run(t.Context(), []string{"-dir", t.TempDir(), "-keys", "1000", "-nodes", "1", "-rounds", "1", "-quiet", "200ms", "-floor", "5s"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)
	for _, line := range []string{"import  1000 keys", "during ", "memory ", `equal   byte for byte behind the header: {"end":{"records":1101,`} {
		require.Contains(t, out.String(), line)
	}
}

// A snapshot under load, with few keys on one node. make backup has the true bound of time.
func TestExport_BackupOfFewKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("builds creditd and starts a node")
	}
	var out, failure bytes.Buffer
	code := run(t.Context(), []string{"-backup", "-dir", t.TempDir(), "-keys", "1000", "-nodes", "1", "-rounds", "2", "-quiet", "200ms", "-floor", "5s"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)
	for _, line := range []string{"import  1000 keys", "backup    1000 keys in ", "scheduled 1000 keys in ", "during ", "memory "} {
		require.Contains(t, out.String(), line)
	}
}

func TestRun_RefusesNonsense(t *testing.T) {
	for _, args := range [][]string{{"-keys", "1"}, {"-rounds", "0"}, {"more"}, {"-nodes", "0"}} {
		var out bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &out, &out), args)
	}
}
