package fitness

import (
	"errors"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/fault"
)

// voters is a cluster of voters with these ids.
type voters []string

func (v voters) Servers() (servers []raft.Server) {
	for _, id := range v {
		servers = append(servers, raft.Server{ID: raft.ServerID(id), Suffrage: raft.Voter})
	}
	return servers
}

func (voters) AddressOf(_ raft.ServerID, configured raft.ServerAddress) string {
	return string(configured)
}

func newMonitor(cluster voters, ownFull bool, peers map[string]peerFitness) *Monitor {
	m := New(Config{
		NodeID: cluster[0], Now: time.Now, Elapsed: func() time.Duration { return 0 }, MaxClockSkew: time.Second, Cluster: cluster,
		DiskFull: func() error {
			if ownFull {
				return errors.New("full")
			}
			return nil
		},
	})
	m.peers = peers
	return m
}

// Changes go on while a majority of disks has space, under a leader that has some.
func TestMonitor_RefuseChange(t *testing.T) {
	full, fit := peerFitness{impairments: impairedDiskFull}, peerFitness{}
	type peers = map[string]peerFitness
	for name, test := range map[string]struct {
		cluster voters
		own     bool
		peers   peers
		kind    fault.Kind
		names   string // "": not refused
	}{
		"one follower of three":      {voters{"a", "b", "c"}, false, peers{"b": full, "c": fit}, 0, ""},
		"two followers of three":     {voters{"a", "b", "c"}, false, peers{"b": full, "c": full}, fault.DiskFull, "b, c"},
		"the leader, another is fit": {voters{"a", "b", "c"}, true, peers{"b": fit, "c": fit}, fault.Unavailable, "transferring leadership"},
		"the leader, nobody answers": {voters{"a", "b", "c"}, true, peers{}, fault.DiskFull, "a"},
		"the leader and a follower":  {voters{"a", "b", "c"}, true, peers{"b": full, "c": fit}, fault.DiskFull, "a, b"},
		"the only node":              {voters{"a"}, true, peers{}, fault.DiskFull, "a"},
		"one follower of two":        {voters{"a", "b"}, false, peers{"b": full}, fault.DiskFull, "b"},
		"a node that has left since": {voters{"a", "b", "c"}, false, peers{"x": full, "y": full}, 0, ""},
		"everybody":                  {voters{"c", "a", "b"}, true, peers{"a": full, "b": full}, fault.DiskFull, "a, b, c"},
	} {
		err := newMonitor(test.cluster, test.own, test.peers).RefuseChange()
		if test.names == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, test.kind, fault.KindOf(err), name)
		require.ErrorContains(t, err, test.names, name)
	}
}
