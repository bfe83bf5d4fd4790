package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/scripts/launch"
)

// A short round of what the command does for longer, with the leader in the middle of the order.
func TestUpgrade_KeepsThePromises(t *testing.T) {
	s, err := parse([]string{
		"-orders", "102", "-duration", "12s", "-clients", "16", "-steady", "100ms", "-faults", "exchange,kill-leader,exchange,isolate-leader,transfer",
	}, io.Discard)
	require.NoError(t, err)
	t.Logf("seed %d", s.seed)
	dir := t.TempDir()
	err = upgradeAll(t.Context(), s, dir, t.Output())
	if err != nil {
		logs, globErr := filepath.Glob(filepath.Join(dir, "*", "*.log"))
		require.NoError(t, globErr)
		for _, name := range logs {
			text, readErr := os.ReadFile(name)
			require.NoError(t, readErr)
			t.Logf("%s ends with:\n%s", filepath.Base(name), text[max(len(text)-4000, 0):])
		}
	}
	require.NoError(t, err)
}

// Each of these is an older build that does not refuse as it must.
func TestRefuses_DemandsAMessageAndNoChange(t *testing.T) {
	const message = "echo 'this is a log of v1 and v2'; echo 'creditd server: this is v1, which takes ledger version 1; v2 has raised it to 2'; "
	for name, test := range map[string]struct {
		script  string
		problem string // empty: none
	}{
		"refuses":           {message + "exit 1", ""},
		"does not say why":  {"exit 1", "does not name"},
		"names one build":   {"echo v2; echo 'creditd server: v1 takes ledger version 1, not 2'; exit 1", `"v2"`},
		"advises to wipe":   {message + "echo 'mv data data.damaged'; exit 1", "calls the directory damaged"},
		"ends well":         {message + "exit 0", "not with exit code 1"},
		"crashes":           {message + "kill -9 $$", "not with exit code 1"},
		"changes a file":    {message + "echo x >> $DIR/meta; exit 1", "meta was"},
		"adds a file":       {message + "touch $DIR/lock; exit 1", "lock was"},
		"changes a mode":    {message + "chmod 600 $DIR/meta; exit 1", "meta was"},
		"runs and says why": {message + "exec sleep 600", "does not refuse"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "meta"), []byte("format 2"), 0o644))
			r := &round{builds: builds{old: build{version: "v1", max: 1}, new: build{version: "v2", max: 2}}, log: t.Output()}
			err := r.refuses(t.Context(), launch.Start, launch.Command{Binary: "/bin/sh", Args: []string{"-c", test.script}, Env: []string{"DIR=" + dir}}, dir, 2*time.Second)
			if test.problem == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.problem)
			}
		})
	}
}

func TestParse_SeesWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-orders", "001"}, {"-log-store", "paper"}, {"-duration", "0s"}, {"-clients", "0"}, {"word"}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
	s, err := parse(nil, io.Discard)
	require.NoError(t, err)
	require.Len(t, s.orders, 6)
}
