package membership

import (
	"net"
	"testing"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/cluster/gossip"
	"github.com/creditd/creditd/cluster/rpc"
)

// fixed is a configuration of raft.
type fixed []raft.Server

func (f fixed) GetConfiguration() raft.ConfigurationFuture { return f }
func (fixed) Error() error                                 { return nil }
func (fixed) Index() uint64                                { return 1 }
func (f fixed) Configuration() raft.Configuration          { return raft.Configuration{Servers: f} }

func member(id, addr string, health gossip.Health) gossip.Member {
	return gossip.Member{ID: id, Meta: gossip.Meta{PeerAddr: addr}, Health: health}
}

func newDirectory(servers fixed, members ...gossip.Member) *Directory {
	d := NewDirectory("a")
	d.Attach(servers)
	d.members.Store(&members)
	return d
}

var three = fixed{
	{ID: "a", Address: "a:1", Suffrage: raft.Voter}, {ID: "b", Address: "b:1", Suffrage: raft.Voter}, {ID: "c", Address: "c:1", Suffrage: raft.Voter},
}

// Gossip knows better than raft's configuration where a node is, and nobody may be taken for a node that lost its data.
func TestDirectory_AddressOf(t *testing.T) {
	for name, test := range map[string]struct {
		members []gossip.Member
		want    string
	}{
		"as configured":               {nil, "b:1"},
		"where gossip sees it":        {[]gossip.Member{member("b", "b:2", gossip.Alive)}, "b:2"},
		"where gossip last saw it":    {[]gossip.Member{member("b", "b:2", gossip.Failed)}, "b:2"},
		"not where another node is":   {[]gossip.Member{member("x", "b:1", gossip.Alive)}, rpc.Nowhere},
		"where another node once was": {[]gossip.Member{member("x", "b:1", gossip.Left)}, "b:1"},
		"without an address yet":      {[]gossip.Member{member("b", "", gossip.Alive)}, "b:1"},
	} {
		d := newDirectory(three, test.members...)
		require.Equal(t, test.want, d.AddressOf("b", "b:1"), name)
		addr, err := d.ServerAddr("b")
		require.NoError(t, err)
		require.Equal(t, test.want, string(addr), name)
	}
	require.Equal(t, rpc.Nowhere, newDirectory(three).AddressOf("unknown", ""))
}

// A displaced server is nowhere, unless gossip sees it alive. Builds that do not know the form of its address must not reach its place.
func TestDirectory_ADisplacedServerIsNowhere(t *testing.T) {
	addr := displacedAddr("127.0.0.1:7001", "b")
	place, displaced := Place(addr)
	require.True(t, displaced)
	require.Equal(t, "127.0.0.1:7001", place)
	_, displaced = Place("127.0.0.1:7001")
	require.False(t, displaced)
	require.Equal(t, rpc.Nowhere, newDirectory(three).AddressOf("b", addr))
	require.Equal(t, rpc.Nowhere, newDirectory(three, member("b", "127.0.0.1:7001", gossip.Failed)).AddressOf("b", addr))
	require.Equal(t, "b:2", newDirectory(three, member("b", "b:2", gossip.Alive)).AddressOf("b", addr))

	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", listen)
		if err != nil {
			continue // no IPv6
		}
		conn, err := net.Dial("tcp", string(displacedAddr(l.Addr().String(), "b")))
		require.Error(t, err)
		require.Nil(t, conn)
		require.NoError(t, l.Close())
	}
}

func TestDirectory_IsEmptyUntilRaftRuns(t *testing.T) {
	d := NewDirectory("a")
	require.Empty(t, d.Servers())
	require.Zero(t, d.OtherVoters())
	_, err := d.ServerAddr("b")
	require.Error(t, err)
	d.Attach(three)
	require.Equal(t, 2, d.OtherVoters())
	require.NotNil(t, d.Voter("c"))
	require.Nil(t, d.Voter("x"))
}
