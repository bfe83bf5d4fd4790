package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSummarize_TakesMediansAndRatios(t *testing.T) {
	rounds := func(rates ...float64) []figures {
		var all []figures
		for _, rate := range rates {
			all = append(all, figures{RequestsPerSecond: rate, Failures: 1})
		}
		return all
	}
	results := summarize([]system{{name: constantName}, {name: "other"}}, [][]figures{rounds(100, 300, 200), rounds(50, 500, 150, 150)})
	require.Equal(t, 200.0, results[0].RequestsPerSecond)
	require.Equal(t, 1.0, results[0].Ratio)
	require.Equal(t, 150.0, results[1].RequestsPerSecond)
	require.Equal(t, 0.75, results[1].Ratio)
	require.Equal(t, uint64(4), results[1].Failures)

	var table strings.Builder
	require.NoError(t, writeTable(&table, results))
	require.Contains(t, table.String(), "0.75")
}

func TestWanted_AlwaysHasTheConstant(t *testing.T) {
	s := settings{only: "wal,redis"}
	require.True(t, s.wanted(constantName))
	require.True(t, s.wanted("creditd, 1 node, wal"))
	require.False(t, s.wanted("creditd, 1 node, boltdb"))
	require.True(t, settings{}.wanted("anything"))
}

func TestRun_WrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-x"}, {"extra"}, {"-duration", "0s"}} {
		var out strings.Builder
		require.Equal(t, 2, run(t.Context(), args, &out, &out), "%v", args)
	}
}
