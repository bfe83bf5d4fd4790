package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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
	code := run(t.Context(), []string{"-dir", t.TempDir(), "-attacks", attacks, "-duration", "13s", "-floor", "1s", "-slowest", "5s", "-restart", "100"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)
	for name := range strings.SplitSeq("nothing,"+attacks+",all quiet", ",") {
		require.Contains(t, out.String(), "\n"+name+" ")
	}
	if runtime.GOOS == "linux" {
		require.Regexp(t, `(?m)^quiet .* nodes \d+\.\d\d cores \(\S+ \S+ \S+\)`, out.String())
	}

	// Without a secret, strangers get further.
	code = run(t.Context(), []string{"-dir", t.TempDir(), "-open", "-attacks", "peers,gossip", "-duration", "3s", "-floor", "5s", "-slowest", "5s", "-restart", "100"}, &out, &failure)
	require.Zero(t, code, "%s%s", &out, &failure)

	// Certificates at all ports.
	out.Reset()
	code = run(t.Context(), []string{"-dir", t.TempDir(), "-tls", "-attacks", "records,replay", "-duration", "4s", "-floor", "5s", "-slowest", "5s", "-restart", "100"}, &out, &failure)
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

// Each attack is compared with all quiet times together, and those with the quiet before the attacks.
func TestSiege_JudgesByAllQuietTimes(t *testing.T) {
	seen := func(took ...time.Duration) *window {
		w := newWindow()
		for _, d := range took {
			require.NoError(t, w.times.RecordValue(d.Microseconds()))
		}
		return w
	}
	judged := func(before, between, attack time.Duration) (broken []error) {
		b := &siege{log: io.Discard, settings: settings{bounds: bounds{ratio: 3, slowest: time.Second, memory: 100}}}
		b.before, b.between = seen(before), seen(between)
		b.endured = []endured{{name: "a", suffered: seen(attack).suffered(), memory: 100}}
		b.judge()
		return b.broken
	}
	const ms = time.Millisecond
	require.Empty(t, judged(2*ms, 4*ms, 12*ms))
	require.Len(t, judged(2*ms, 4*ms, 13*ms), 1)
	require.Len(t, judged(2*ms, 5*ms, 5*ms), 1, "lasting harm")
	require.Len(t, judged(600*ms, 1100*ms, 1100*ms), 2, "too slow an answer, then and in the quiet")

	b := &siege{log: io.Discard, before: seen(ms), between: seen(ms), endured: []endured{{name: "a", suffered: newWindow().suffered(), memory: 101}}}
	b.bounds = bounds{ratio: 3, slowest: time.Second, memory: 100}
	b.judge()
	require.Len(t, b.broken, 2, "no answer, and more memory than a node may take")
}

// The times of a run add up to its duration.
func TestSiege_SharesItsDuration(t *testing.T) {
	b := &siege{settings: settings{duration: time.Minute, attacks: allAttacks()}}
	attacks := time.Duration(len(b.attacks) + 1)
	require.InDelta(t, time.Minute, attacks*b.share()+(attacks+1)*b.share()/3, float64(time.Microsecond))
}

// The group gives way, takes the process, and leaves nothing behind. It is made where this process may.
func TestIdleGroup_HoldsTheAttackers(t *testing.T) {
	group := newIdleGroup()
	require.NotEmpty(t, group.String())
	if group == "" {
		t.Skip("this process may make no control group for CPU time")
	}
	idle, err := os.ReadFile(filepath.Join(string(group), "cpu.idle"))
	require.NoError(t, err)
	require.Equal(t, "1", strings.TrimSpace(string(idle)))
	sleeper := exec.Command("sleep", "60")
	require.NoError(t, sleeper.Start())
	t.Cleanup(func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
		group.remove()
	})
	require.NoError(t, group.add(sleeper.Process.Pid))
	members, err := os.ReadFile(filepath.Join(string(group), "cgroup.procs"))
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(sleeper.Process.Pid), strings.TrimSpace(string(members)))
	require.NoError(t, sleeper.Process.Kill())
	require.Error(t, sleeper.Wait(), "it was killed")
	group.remove()
	require.NoDirExists(t, string(group))
}
