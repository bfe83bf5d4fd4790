package upgrade

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/fsm"
)

func server(id string, suffrage raft.ServerSuffrage) raft.Server {
	return raft.Server{ID: raft.ServerID(id), Suffrage: suffrage}
}

func member(id string, health gossip.Health, newest uint8) gossip.Member {
	return gossip.Member{ID: id, Health: health, Meta: gossip.Meta{Version: "build-" + id, MinLedger: min(newest, 1), MaxLedger: newest}}
}

// reads is a node whose build reads the versions from 1 to newest.
func reads(newest uint64) Node { return Node{Build: "some", Reads: Range{1, newest}} }

// A version is the cluster's only when no server is left that could not read it. A voter that is down may come back with an old build.
func TestRaiser_Target(t *testing.T) {
	servers := []raft.Server{server("a", raft.Voter), server("b", raft.Voter), server("n", raft.Nonvoter)}
	for name, test := range map[string]struct {
		answers map[string]Node
		up      gossip.Health // of the non-voter
		want    uint64
		why     string
	}{
		"all read it":              {map[string]Node{"a": reads(3), "b": reads(3), "n": reads(3)}, gossip.Alive, 3, ""},
		"one reads more":           {map[string]Node{"a": reads(3), "b": reads(4), "n": reads(3)}, gossip.Alive, 3, ""},
		"a voter is behind":        {map[string]Node{"a": reads(3), "b": reads(2), "n": reads(3)}, gossip.Alive, 2, "node b has creditd some"},
		"a non-voter is behind":    {map[string]Node{"a": reads(3), "b": reads(3), "n": reads(1)}, gossip.Alive, 1, "node n has"},
		"one announces nothing":    {map[string]Node{"a": reads(3), "b": {}, "n": reads(3)}, gossip.Alive, 1, "reads ledger versions 1 to 1"},
		"a voter does not answer":  {map[string]Node{"a": reads(3), "n": reads(3)}, gossip.Alive, 0, "node b does not answer"},
		"a non-voter that is up":   {map[string]Node{"a": reads(3), "b": reads(3)}, gossip.Alive, 0, "node n does not answer"},
		"a non-voter that is down": {map[string]Node{"a": reads(3), "b": reads(3)}, gossip.Failed, 3, ""},
	} {
		r := New(Config{
			Self: reads(3), Servers: func() []raft.Server { return servers },
			Members: func() []gossip.Member { return []gossip.Member{member("n", test.up, 3)} },
			Ask:     func(context.Context) map[string]Node { return test.answers },
		})
		version, why := r.target(t.Context())
		require.Equal(t, test.want, version, name)
		require.Contains(t, why, test.why, name)
		require.Equal(t, test.why == "", why == "", name)
	}
}

func TestRaiser_NamesTheNodesThatAreBehind(t *testing.T) {
	r := New(Config{
		Servers: func() []raft.Server {
			return []raft.Server{server("a", raft.Voter), server("b", raft.Voter), server("c", raft.Voter), server("n", raft.Nonvoter)}
		},
		Members: func() []gossip.Member {
			return []gossip.Member{
				member("a", gossip.Alive, 3), member("b", gossip.Alive, 2), member("c", gossip.Failed, 3), member("n", gossip.Failed, 0),
			}
		},
	})
	behind := r.Behind(3)
	require.Contains(t, behind, "node b has creditd build-b, which reads ledger versions 1 to 2")
	require.Contains(t, behind, "node c does not answer")
	require.NotContains(t, behind, "node a")
	require.NotContains(t, behind, "node n")
	require.NotContains(t, r.Behind(2), "node b")
}

// The version rises in steps as nodes are upgraded, survives failures, and then nothing is asked any more.
func TestRaiser_Run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// atomic: waiting for the fake clock orders nothing in the eyes of the race detector
		var current, slowest atomic.Uint64
		current.Store(1)
		slowest.Store(1)
		failures := 1
		r := New(Config{
			Self: reads(3), Interval: time.Second, Current: current.Load,
			Servers: func() []raft.Server { return []raft.Server{server("a", raft.Voter)} },
			Members: func() []gossip.Member { return nil },
			Ask:     func(context.Context) map[string]Node { return map[string]Node{"a": reads(slowest.Load())} },
			Raise: func(_ context.Context, c *fsm.RaiseLedgerVersion) error {
				if failures > 0 {
					failures--
					return errors.New("no longer the leader")
				}
				current.Store(c.Version)
				return nil
			},
			Logger: slog.New(slog.DiscardHandler),
		})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			r.Run(t.Context())
		}()
		pass := func() {
			<-time.After(10 * time.Second) // of the bubble: it takes no time
			synctest.Wait()
		}
		pass()
		require.Equal(t, uint64(1), current.Load())
		slowest.Store(2)
		pass()
		require.Equal(t, uint64(2), current.Load())
		slowest.Store(5)
		pass()
		require.Equal(t, uint64(3), current.Load(), "no further than this node reads")
		<-ended
		require.Zero(t, failures)
	})
}
