package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/store"
)

// leaderOf speaks to a follower as its leader does.
type leaderOf struct {
	t        *testing.T
	follower *node
	trans    *raft.InmemTransport
	meta     *raft.SnapshotMeta
	file     []byte
}

func newLeaderOf(t *testing.T, follower *node, index uint64) *leaderOf {
	t.Helper()
	source := mustOpen(t, t.TempDir())
	snapshot(t, source, index, map[string]string{"counter": "12345678"})
	meta, r := openOnly(t, source)
	file, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, trans := raft.NewInmemTransportWithTimeout("leader", 5*time.Second)
	trans.Connect("follower", follower.trans)
	return &leaderOf{t: t, follower: follower, trans: trans, meta: meta, file: file}
}

func (l *leaderOf) header() raft.RPCHeader {
	return raft.RPCHeader{ProtocolVersion: raft.ProtocolVersionMax, ID: []byte("leader"), Addr: []byte("leader")}
}

func (l *leaderOf) install(term uint64) error {
	var answer raft.InstallSnapshotResponse
	return l.trans.InstallSnapshot("follower", "follower", &raft.InstallSnapshotRequest{
		RPCHeader: l.header(), SnapshotVersion: 1, Term: term, LastLogIndex: l.meta.Index, LastLogTerm: l.meta.Term,
		Configuration: raft.EncodeConfiguration(raft.Configuration{Servers: []raft.Server{
			{ID: "leader", Address: "leader"}, {ID: raft.ServerID(l.follower.store.NodeID()), Address: "follower"}}}),
		ConfigurationIndex: 1, Size: l.meta.Size,
	}, &answer, bytes.NewReader(l.file))
}

// replicate sends entries of term 2.
func (l *leaderOf) replicate(term, from, to uint64) bool {
	l.t.Helper()
	var answer raft.AppendEntriesResponse
	require.NoError(l.t, l.trans.AppendEntries("follower", "follower", &raft.AppendEntriesRequest{
		RPCHeader: l.header(), Term: term, PrevLogEntry: from - 1, PrevLogTerm: 2, Entries: entries(from, to, 2), LeaderCommitIndex: from - 1,
	}, &answer))
	return answer.Success
}

// With raft-wal, installing a snapshot deletes the whole log. A new leader's log may differ behind the snapshot. It must find the
// snapshot's last entry here, or it would send its own snapshot, which may be older. With boltdb it finds an earlier entry.
func TestInstall_NewLeaderContinuesFromTheEnd(t *testing.T) {
	f := startNode(t, t.TempDir(), store.LogWAL, "follower")
	defer f.stop(t)
	l := newLeaderOf(t, f, 20)
	require.NoError(t, l.install(2))
	require.True(t, l.replicate(2, 21, 25), "of which a majority knows nothing")
	var answer raft.AppendEntriesResponse
	require.NoError(t, l.trans.AppendEntries("follower", "follower", &raft.AppendEntriesRequest{
		RPCHeader: l.header(), Term: 3, PrevLogEntry: 20, PrevLogTerm: 2, Entries: entries(21, 22, 3), LeaderCommitIndex: 22,
	}, &answer))
	require.True(t, answer.Success)
	require.Equal(t, uint64(22), f.raft.LastIndex())

	var entry raft.Log
	require.ErrorIs(t, f.store.Log().GetLog(19, &entry), raft.ErrLogNotFound)
	require.NoError(t, f.store.Log().GetLog(20, &entry))
	require.Equal(t, raft.Log{Index: 20, Term: 2, Type: raft.LogNoop}, entry)
}

// raft installs any snapshot and, with raft-wal, deletes the log. A retransmitted request that arrives after entries were acknowledged must
// not take them back.
func TestInstall_StaleSnapshotTakesNoEntryBack(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			f := startNode(t, dir, kind, "follower")
			l := newLeaderOf(t, f, 20)
			require.NoError(t, l.install(2))
			require.True(t, l.replicate(2, 21, 40))
			require.ErrorContains(t, l.install(2), "it is stale")
			require.True(t, l.replicate(2, 41, 45), "the node continues")
			require.NoError(t, f.store.Healthy())
			f.stop(t)

			f = startNode(t, dir, "", "follower")
			require.Equal(t, uint64(45), f.raft.LastIndex())
			f.stop(t)
		})
	}
}

// A leader sends the same snapshot again if the reply was lost. The next leader may send one to a node whose log it cannot use.
func TestInstall_AcceptsARetransmission(t *testing.T) {
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			f := startNode(t, t.TempDir(), kind, "follower")
			l := newLeaderOf(t, f, 20)
			require.NoError(t, l.install(2))
			require.NoError(t, l.install(2), "the reply was lost")
			require.True(t, l.replicate(2, 21, 25))
			require.NoError(t, l.install(3), "another leader")
			f.stop(t)
		})
	}
}

// Committed entries stay, also when the leader's own snapshot is older.
func TestInstall_RefusesAnOlderSnapshot(t *testing.T) {
	f := startNode(t, t.TempDir(), store.LogWAL, "follower")
	require.NoError(t, newLeaderOf(t, f, 60).install(2))
	require.ErrorContains(t, newLeaderOf(t, f, 20).install(2), "already has")
	require.Equal(t, uint64(60), f.store.Stats().SnapshotIndex)
	require.NoError(t, f.store.Healthy())
	f.stop(t)
}

// A leader that compacted entries without their acknowledgement sends the same snapshot again and again. Only a restart of the follower
// ends this: it drops all delayed requests, so the next snapshot is installed.
func TestInstall_StopsTheNodeAfterThreeRefusals(t *testing.T) {
	fatal := make(chan error, 1)
	dir := t.TempDir()
	from := mustOpen(t, t.TempDir())
	snapshot(t, from, 20, map[string]string{"a": "1"})
	meta, r := openOnly(t, from)
	file, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	s := mustOpen(t, dir, func(o *store.Options) { o.OnFatal = func(err error) { fatal <- err } })
	require.NoError(t, s.Stable().SetUint64(currentTerm, 2))
	refused := func() {
		_, err := create(t, s, meta.Index, meta.Term).Write(file)
		require.Equal(t, store.KindStale, store.KindOf(err), err)
	}
	for last := uint64(40); last < 60; last++ { // each is followed by an entry
		require.NoError(t, s.Log().StoreLogs(entries(1, last, 2)))
		refused()
		refused()
	}
	require.NoError(t, s.Healthy())
	refused()
	require.ErrorContains(t, <-fatal, "start this node again")
	require.NoError(t, s.Close())

	s = mustOpen(t, dir)
	send(t, from, s)
}

// There is no older snapshot: one that does not load must not replace one that does.
func TestInstall_RefusesASnapshotThatDoesNotLoad(t *testing.T) {
	from := mustOpen(t, t.TempDir())
	snapshot(t, from, 20, map[string]string{"a": "bad"})
	dir := t.TempDir()
	s := mustOpen(t, dir)
	check := func(records store.RecordReader) error {
		require.Equal(t, fmt.Sprintf("digest at %d", records.Index()), string(records.Ledger().Digest))
		return records.Records(func(_, value []byte) error {
			if string(value) == "bad" {
				return errors.New("no such record")
			}
			return nil
		})
	}
	receive := func() error {
		meta, r := openOnly(t, from)
		k := create(t, s, meta.Index, meta.Term)
		k.CheckInstall(check)
		_, err := io.Copy(k, r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		return k.Close()
	}
	snapshot(t, s, 10, map[string]string{"a": "held"})
	err := receive()
	require.Equal(t, store.KindInvalid, store.KindOf(err), err)
	require.ErrorContains(t, err, "no such record")
	require.Equal(t, map[string]string{"a": "held"}, contents(t, s))
	require.Empty(t, leftovers(t, dir))
	require.NoError(t, s.Healthy())

	snapshot(t, from, 21, map[string]string{"a": "good"})
	require.NoError(t, receive())
	require.Equal(t, map[string]string{"a": "good"}, contents(t, s))
}
