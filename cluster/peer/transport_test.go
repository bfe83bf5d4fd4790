package peer

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"
)

func plainAddress(m *Mux) raft.ServerAddress { return raft.ServerAddress(m.Addr().String()) }

func raftAddress(m *Mux) raft.ServerAddress {
	return RaftAddress(raft.ServerID(m.conf.NodeID), plainAddress(m))
}

// addresses is a provider backed by a map; the addresses in raft's own
// configuration are wrong on purpose.
type addresses map[raft.ServerID]raft.ServerAddress

func (a addresses) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	if addr, ok := a[id]; ok {
		return addr, nil
	}
	return "", fmt.Errorf("no address for %s", id)
}

func testTransport(tb testing.TB, m *Mux, provider raft.ServerAddressProvider) *Transport {
	tb.Helper()
	tr := NewTransport(m.RaftLayer(), provider, time.Second, time.Second, hclog.NewNullLogger())
	tb.Cleanup(func() { require.NoError(tb, tr.Close()) })
	return tr
}

// With a heartbeat handler installed raft would take heartbeats beside its
// main loop, which can corrupt the terms of entries.
func TestTransport_SendsHeartbeatsThroughTheMainLoop(t *testing.T) {
	a, b := startMux(t, MuxConfig{}, nil), startMux(t, MuxConfig{}, nil)
	from := testTransport(t, a, nil)
	to := testTransport(t, b, nil)
	to.SetHeartbeatHandler(func(raft.RPC) { t.Error("heartbeat on the fast path") })

	go func() {
		rpc := <-to.Consumer()
		rpc.Respond(&raft.AppendEntriesResponse{Term: 7, Success: true}, nil)
	}()
	heartbeat := &raft.AppendEntriesRequest{Term: 7, RPCHeader: raft.RPCHeader{Addr: []byte("a")}}
	var resp raft.AppendEntriesResponse
	require.NoError(t, from.AppendEntries("b", raftAddress(b), heartbeat, &resp))
	require.True(t, resp.Success)
}

func TestTransport_DoesNotPipeline(t *testing.T) {
	m := startMux(t, MuxConfig{}, nil)
	_, err := testTransport(t, m, nil).AppendEntriesPipeline("x", raftAddress(m))
	require.ErrorIs(t, err, raft.ErrPipelineReplicationNotSupported)
}

func TestTransport_CarriesARaftCluster(t *testing.T) {
	const nodes = 3
	provider := addresses{}
	var muxes []*Mux
	var config raft.Configuration
	for i := range nodes {
		id := raft.ServerID(fmt.Sprint("node-", i))
		m := startMux(t, MuxConfig{NodeID: string(id)}, echo)
		muxes = append(muxes, m)
		provider[id] = plainAddress(m)
		config.Servers = append(config.Servers, raft.Server{ID: id, Address: raft.ServerAddress(fmt.Sprintf("stale-%d:1", i))})
	}
	var rafts []*raft.Raft
	for i, m := range muxes {
		conf := raft.DefaultConfig()
		conf.LocalID = config.Servers[i].ID
		conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = 200*time.Millisecond, 200*time.Millisecond, 100*time.Millisecond
		conf.CommitTimeout = 5 * time.Millisecond
		conf.LogOutput = io.Discard
		store := raft.NewInmemStore()
		r, err := raft.NewRaft(conf, &countFSM{}, store, store, raft.NewInmemSnapshotStore(), testTransport(t, m, provider))
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, r.Shutdown().Error()) })
		rafts = append(rafts, r)
	}
	require.NoError(t, rafts[0].BootstrapCluster(config).Error())
	var leader *raft.Raft
	eventually(t, func() bool {
		for _, r := range rafts {
			if r.State() == raft.Leader {
				leader = r
			}
		}
		return leader != nil
	}, "a leader")
	for range 20 {
		require.NoError(t, leader.Apply([]byte("entry"), deadline).Error())
	}
	last := leader.LastIndex()
	for _, r := range rafts {
		eventually(t, func() bool { return r.AppliedIndex() >= last }, "every node applies the entries")
	}
}

type countFSM struct{}

func (*countFSM) Apply(*raft.Log) any                 { return nil }
func (*countFSM) Snapshot() (raft.FSMSnapshot, error) { return nil, fmt.Errorf("not needed") }
func (*countFSM) Restore(io.ReadCloser) error         { return nil }

// A vote is recorded as these bytes: two servers never have the same, also when they are asked for in turn.
func TestTransport_EncodesEachServer(t *testing.T) {
	tr := testTransport(t, startMux(t, MuxConfig{}, nil), nil)
	for range 2 {
		for _, id := range []raft.ServerID{"a", "b"} {
			for _, addr := range []raft.ServerAddress{"host:1", "host:2"} {
				for range 2 {
					require.Equal(t, string(id)+"@"+string(addr), string(tr.EncodePeer(id, addr)))
				}
				require.Equal(t, addr, tr.DecodePeer(tr.EncodePeer(id, addr)))
			}
		}
	}
}
