package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The attacks that are prepared quickly, for a moment each. A busy machine cannot keep the bounds of time, so they are wide: no node ends, no
// charge is lost or made twice, the victim gets no error, and memory stays bounded. The p99 may take a second: it took more when a charge
// waited behind whole batches of others. make hostile has the true bounds of time, and the other attacks.
func TestHostile_MostAttacksForAMoment(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three nodes and attacks them for half a minute")
	}
	const attacks = "refused,patterns,updates,ratelimits,batches,outcomes,windows,properties,connections,peers,gossip"
	var out, failure bytes.Buffer
	code := run(t.Context(), []string{"-dir", t.TempDir(), "-attacks", attacks, "-duration", "13s", "-ratio", "30", "-floor", "1s", "-slowest", "5s", "-restart", "100"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)
	for name := range strings.SplitSeq("nothing,"+attacks, ",") {
		require.Contains(t, out.String(), "\n"+name+" ")
	}
	if runtime.GOOS == "linux" {
		require.Regexp(t, `(?m)^quiet .* nodes \d+\.\d\d cores \(\S+ \S+ \S+\)`, out.String())
	}

	// Without a secret, strangers get further.
	code = run(t.Context(), []string{"-dir", t.TempDir(), "-open", "-attacks", "peers,gossip", "-duration", "3s", "-ratio", "10000", "-slowest", "5s", "-restart", "100"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)

	// Certificates at all ports.
	out.Reset()
	code = run(t.Context(), []string{"-dir", t.TempDir(), "-tls", "-attacks", "records,replay", "-duration", "4s", "-ratio", "10000", "-slowest", "5s", "-restart", "100"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)
	require.Contains(t, out.String(), "\ngoroutines and descriptors: ")
}

func TestCPUTimes_AreComparedByNode(t *testing.T) {
	at := time.Now()
	before := cpuTimes{at: at, used: []float64{1, 2, 3}}
	require.Equal(t, "nodes 0.75 cores (0.50 0.00 0.25)", cpuTimes{at: at.Add(2 * time.Second), used: []float64{2, 2, 3.5}}.since(before))
	require.Empty(t, cpuTimes{}.since(before), "a node has gone, or the system has no /proc")
}

func TestParse_RefusesWhatItCannotDo(t *testing.T) {
	for _, args := range [][]string{{"-attacks", "nothing"}, {"-duration", "0s"}, {"more"}, {"-attacks", "handshakes"}, {"-tls", "-open"}} {
		var failure bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &failure, &failure), "%v", args)
		require.NotEmpty(t, failure.String())
	}
	s, err := parse([]string{"-attacks", "gossip,lists"}, nil)
	require.NoError(t, err)
	require.Equal(t, "gossip,lists", names(s.attacks))
}
