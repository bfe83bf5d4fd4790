package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/api/client"
	"github.com/creditd/creditd/scripts/chaos/failover"
	"github.com/creditd/creditd/scripts/chaos/faultrun"
	"github.com/creditd/creditd/scripts/chaos/storm"
	"github.com/creditd/creditd/scripts/launch"
)

const (
	testNodes   = 3
	callTimeout = 30 * time.Second
	defaultSeed = 20_261_123
)

// TestCluster runs against one cluster of real processes that nothing happens to.
func TestCluster(t *testing.T) {
	bed := startCluster(t)
	t.Run("ExactlyTheCreditsThereAre", bed.testExactness)
	t.Run("AnsweredRevocationsHoldEverywhere", bed.testRevocation)
	require.NoError(t, bed.StopAll())
}

// testbed is a running cluster, a client of it and an API in it.
type testbed struct {
	*launch.Cluster
	client *client.Client
	apiID  string
}

func startCluster(t *testing.T) *testbed {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	binary, err := launch.Build{Race: launch.RaceEnabled}.Into(ctx, dir)
	require.NoError(t, err)
	cluster, err := launch.StartCluster(ctx, launch.Options{Binary: binary, Dir: dir, Nodes: testNodes, LogStore: "boltdb"})
	require.NoError(t, err)
	bed := &testbed{Cluster: cluster, client: launch.NewClient(cluster.HTTPAddr(0), callTimeout)}
	t.Cleanup(func() {
		bed.client.Close()
		cluster.Close()
		if t.Failed() {
			logTails(t, dir)
		}
	})
	bed.apiID, err = cluster.CreateAPI(ctx)
	require.NoError(t, err)
	return bed
}

func logTails(t *testing.T, dir string) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	require.NoError(t, err)
	for _, name := range logs {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		t.Logf("%s ends with:\n%s", filepath.Base(name), text[max(len(text)-4000, 0):])
	}
}

func (b *testbed) must(t *testing.T, node int, endpoint string, request, result any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
	defer cancel()
	require.NoError(t, b.Call(ctx, node, endpoint, request, result))
}

// createKeys creates one plain key, or several that share an identity, with the given credits.
func (b *testbed) createKeys(t *testing.T, externalID string, credits int64) []launch.Key {
	t.Helper()
	request := map[string]any{"apiId": b.apiID}
	keys := make([]launch.Key, 1)
	if externalID == "" {
		request["credits"] = map[string]any{"remaining": credits}
	} else {
		keys = make([]launch.Key, 5)
		request["externalId"] = externalID
		identity := map[string]any{"externalId": externalID, "credits": map[string]any{"remaining": credits}}
		b.must(t, 0, "identities.createIdentity", identity, nil)
	}
	for i := range keys {
		b.must(t, i%testNodes, "keys.createKey", request, &keys[i])
	}
	return keys
}

type verification struct {
	Valid   bool   `json:"valid"`
	Code    string `json:"code"`
	Credits *int64 `json:"credits"`
}

func (b *testbed) verify(node int, key string, cost int64) (data verification, err error) {
	request := map[string]any{"key": key, "credits": map[string]any{"cost": cost}}
	err = b.client.At(b.HTTPAddr(node)).Call(context.Background(), "keys.verifyKey", request, &data).Err
	return data, err
}

// With n credits at cost c exactly floor(n/c) of any number of concurrent verifications succeed, on however many nodes.
func (b *testbed) testExactness(t *testing.T) {
	for _, test := range []struct{ credits, cost int64 }{{10, 1}, {100, 3}, {1000, 7}, {4000, 1}} {
		for _, owner := range []string{"key", "identity"} {
			t.Run(fmt.Sprintf("%s with %d at %d", owner, test.credits, test.cost), func(t *testing.T) {
				externalID := ""
				if owner == "identity" {
					externalID = fmt.Sprintf("exact-%d", test.credits)
				}
				b.drain(t, b.createKeys(t, externalID, test.credits), test.credits, test.cost)
			})
		}
	}
}

// drain spends with 200 clients until each has been denied, and looks at every balance that an answer showed.
func (b *testbed) drain(t *testing.T, keys []launch.Key, credits, cost int64) {
	t.Helper()
	const clients = 200
	want := credits / cost
	rest := credits % cost
	shown := make([]atomic.Bool, want) // by balance after the charge / cost: each can be the answer of one charge only
	var succeeded atomic.Int64
	problems := make(chan error, clients)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for {
				got, err := b.verify(i%testNodes, keys[i%len(keys)].Key, cost)
				switch {
				case err != nil:
				case got.Credits == nil:
					err = fmt.Errorf("no credits in %+v", got)
				case !got.Valid && got.Code == "USAGE_EXCEEDED" && *got.Credits == rest:
					return
				case !got.Valid:
					err = fmt.Errorf("denied with %s and %d credits", got.Code, *got.Credits)
				case *got.Credits < rest || *got.Credits > credits-cost || shown[*got.Credits/cost].Swap(true):
					err = fmt.Errorf("a second or impossible answer with balance %d", *got.Credits)
				}
				if err != nil {
					problems <- err
					return
				}
				succeeded.Add(1)
			}
		})
	}
	group.Wait()
	close(problems)
	for problem := range problems {
		t.Error(problem)
	}
	require.Equal(t, want, succeeded.Load())
}

// Once `set` 0 or a disabled key is answered on one node, no verification sent later succeeds on any other; and once
// the credits are back, none is denied.
func (b *testbed) testRevocation(t *testing.T) {
	const rounds = 24
	key := b.createKeys(t, "", 0)[0]

	// Odd phases are those in which nothing may succeed. Spenders run in all phases and judge only answers that were
	// sent and received within one odd phase.
	var phase atomic.Int64
	phase.Store(1)
	ctx, stop := context.WithCancel(t.Context())
	problems := make(chan error, 100)
	var group sync.WaitGroup
	for i := range 2 * testNodes {
		group.Go(func() {
			for ctx.Err() == nil {
				before := phase.Load()
				got, err := b.verify(i%testNodes, key.Key, 1)
				if err == nil && got.Valid && before%2 == 1 && phase.Load() == before {
					err = fmt.Errorf("node %d let a spender pass in phase %d: %+v", i%testNodes, before, got)
				}
				if err != nil {
					problems <- err
					return
				}
			}
		})
	}
	expect := func(round int, code string) {
		t.Helper()
		for away := 1; away < testNodes; away++ {
			got, err := b.verify((round+away)%testNodes, key.Key, 1)
			require.NoError(t, err)
			require.Equal(t, code, got.Code, "round %d, node %d", round, (round+away)%testNodes)
		}
	}
	set := func(round, value int) {
		t.Helper()
		b.must(t, round%testNodes, "keys.updateCredits", map[string]any{"keyId": key.ID, "operation": "set", "value": value}, nil)
	}
	enable := func(round int, enabled bool) {
		t.Helper()
		b.must(t, round%testNodes, "keys.updateKey", map[string]any{"keyId": key.ID, "enabled": enabled}, nil)
	}
	for round := range rounds {
		phase.Add(1)
		set(round, 1_000_000)
		expect(round, "VALID")
		set(round, 0)
		phase.Add(1)
		expect(round, "USAGE_EXCEEDED")
		phase.Add(1)
		set(round, 1_000_000)
		expect(round, "VALID")
		enable(round, false)
		phase.Add(1)
		expect(round, "DISABLED")
		set(round, 0)
		enable(round, true)
	}
	stop()
	group.Wait()
	close(problems)
	for problem := range problems {
		t.Error(problem)
	}
}

// Short runs of what the command does for longer. Between them they have every fault; CREDITD_CHAOS_SEED repeats seeds that failed.
func TestRun_KeepsThePromises(t *testing.T) {
	seed := uint64(defaultSeed)
	if text := os.Getenv("CREDITD_CHAOS_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "CREDITD_CHAOS_SEED")
	}
	all := settings{Config: faultrun.DefaultConfig(), nodes: testNodes, race: launch.RaceEnabled}
	creditd, err := all.build(t.Context(), t.TempDir())
	require.NoError(t, err)
	for name, test := range map[string]struct {
		logStore string
		faults   []faultrun.Fault
	}{
		"crashes":  {"wal", []faultrun.Fault{faultrun.KillLeader, faultrun.KillAll, faultrun.CrashPoint, faultrun.FullDisk}},
		"pauses":   {"boltdb", []faultrun.Fault{faultrun.PauseLeader, faultrun.Transfer, faultrun.Restart, faultrun.Clock, faultrun.SlowDisk}},
		"networks": {"wal", []faultrun.Fault{faultrun.IsolateLeader, faultrun.OneWay, faultrun.CutLink, faultrun.Delay, faultrun.HungDisk}},
	} {
		t.Run(name, func(t *testing.T) {
			s := all
			s.Seed, s.Duration, s.logStore, s.Faults = seed, 8*time.Second, test.logStore, test.faults
			s.Timeout = 2 * time.Minute // a machine that runs other tests beside this one is no violation
			s.Dir, s.Log = t.TempDir(), t.Output()
			result, err := perform(t.Context(), s, creditd)
			t.Logf("\n%v", result)
			if err != nil || !result.OK() {
				logTails(t, s.Dir)
				t.Logf("again, for longer: %s", commandLine(s))
			}
			require.NoError(t, err)
			require.Empty(t, result.Violations)
			require.True(t, result.OK())
			require.NotEmpty(t, result.Faults)
			require.Positive(t, result.Replayed)
			require.Positive(t, result.Linearizable)
		})
	}
}

// Every node loses its data, one after the other, each as soon as the one before is ready. Nothing is lost, and at the end each node has a
// vote. The command does it for longer, with three and five nodes and both log stores.
func TestReplace_RollsThroughTheCluster(t *testing.T) {
	s := settings{Config: faultrun.DefaultConfig(), nodes: testNodes, race: launch.RaceEnabled, logStore: "wal"}
	s.Seed, s.Duration, s.Faults, s.Timeout = defaultSeed, 2*time.Second, []faultrun.Fault{faultrun.Replace}, 2*time.Minute
	creditd, err := s.build(t.Context(), t.TempDir())
	require.NoError(t, err)
	s.Dir, s.Log = t.TempDir(), t.Output()
	result, err := perform(t.Context(), s, creditd)
	t.Logf("\n%v", result)
	if err != nil || !result.OK() {
		logTails(t, s.Dir)
	}
	require.NoError(t, err)
	require.True(t, result.OK())
	require.GreaterOrEqual(t, result.Replaced, testNodes)
	require.Positive(t, result.Replayed)
	require.Positive(t, result.Linearizable)
}

// Losing a node, by kill -9 or by an operator's restart, costs no client an error and charges nobody twice. How long it may take is
// measured by the command, on a machine that does nothing else.
func TestFailover_IsHidden(t *testing.T) {
	dir := t.TempDir()
	config := failover.Config{Clients: 64, Kills: 1, Restarts: 1, Steady: 300 * time.Millisecond, Log: t.Output()}
	report, err := performFailover(t.Context(), config, "wal", dir, launch.RaceEnabled)
	if err != nil {
		logTails(t, dir)
	}
	require.NoError(t, err)
	require.Len(t, report.Kills, 1)
	require.Len(t, report.Restarts, testNodes)
	t.Logf("\n%s", report.Summary())
}

// Debits that are sent several times, through all nodes at once, are executed once, whatever happens to the nodes meanwhile. The command
// does it with a million.
func TestStorm_TakesEachChargeOnce(t *testing.T) {
	dir := t.TempDir()
	config := storm.Config{Seed: defaultSeed, Debits: 5000, Workers: 32, LeaderChanges: 4, Installs: 1, Log: t.Output()}
	report, err := performStorm(t.Context(), config, "wal", dir, launch.RaceEnabled)
	if err != nil {
		logTails(t, dir)
	}
	require.NoError(t, err)
	t.Log(report)
	require.Equal(t, config.Debits, report.Debits)
	require.Equal(t, config.LeaderChanges, report.LeaderChanges)
	require.Equal(t, config.Installs, report.Installs)
	require.Positive(t, report.Replayed)
	require.Positive(t, report.Denied)
}

func TestParse_SeesWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"-nodes", "2"}, {"-log-store", "paper"}, {"-faults", "meteor"}, {"-runs", "0"}, {"-clients", "0"}, {"word"},
	} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, "%v", args)
	}
	s, err := parse([]string{"-faults", "kill,delay", "-seed", "7"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []faultrun.Fault{faultrun.KillRandom, faultrun.Delay}, s.Faults)
	require.Contains(t, commandLine(s), "-seed 7")
}
