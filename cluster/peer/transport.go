package peer

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
)

// Transport is raft's network transport with two paths turned off that can
// break a cluster.
//
//   - Heartbeats take the same way as every other request. On the fast path
//     they run beside raft's main loop and may raise the term while the loop
//     writes entries, so that a deposed leader stamps entries with a term it
//     never led (hashicorp/raft#695). HeartbeatTimeout must therefore exceed
//     the slowest normal fsync.
//   - Appends are not pipelined: with two in flight replication to a follower
//     can deadlock (hashicorp/raft#612), and coalescing above raft makes up
//     for the lost overlap.
//
// It embeds the concrete type, not the interface: raft looks for optional
// methods on it, and without RequestPreVote it silently does without pre-vote.
type Transport struct {
	*raft.NetworkTransport
	handover time.Duration
	encoded  atomic.Pointer[encodedPeer]
}

// encodedPeer is the server that was encoded last: that of each message, this node itself.
type encodedPeer struct {
	id    raft.ServerID
	addr  raft.ServerAddress
	bytes []byte
}

var (
	_ raft.Transport   = (*Transport)(nil)
	_ raft.WithPreVote = (*Transport)(nil)
	_ raft.WithClose   = (*Transport)(nil)
)

// raftConnsPerPeer is how many idle connections raft keeps to one server: one
// each for appends, heartbeats and votes.
const raftConnsPerPeer = 3

// NewTransport returns the transport over layer, and starts to accept from it.
// The provider turns a server's id into its present address, so an old
// configuration's address does no harm. Without a provider, or if it fails,
// raft's own addresses must be RaftAddresses. The timeout bounds one request;
// that of a snapshot grows with its size. handover bounds the one that hands
// leadership over.
func NewTransport(layer raft.StreamLayer, provider raft.ServerAddressProvider, timeout, handover time.Duration, log hclog.Logger) *Transport {
	if provider != nil {
		provider = naming{provider}
	}
	return &Transport{handover: handover, NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		ServerAddressProvider: provider,
		Logger:                log,
		Stream:                layer,
		MaxPool:               raftConnsPerPeer,
		MaxRPCsInFlight:       1,
		Timeout:               timeout,
	})}
}

// naming makes the addresses of a provider ones that the layer can dial.
type naming struct{ raft.ServerAddressProvider }

// ServerAddr implements raft.ServerAddressProvider.
func (n naming) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	addr, err := n.ServerAddressProvider.ServerAddr(id)
	if err != nil {
		return "", err
	}
	return RaftAddress(id, addr), nil
}

// EncodePeer implements raft.Transport. raft records a vote as these bytes.
// They have the id, so that two servers at one address, one after the other,
// never share a vote.
func (t *Transport) EncodePeer(id raft.ServerID, addr raft.ServerAddress) []byte {
	if last := t.encoded.Load(); last != nil && last.id == id && last.addr == addr {
		return last.bytes
	}
	b := []byte(RaftAddress(id, addr))
	t.encoded.Store(&encodedPeer{id, addr, b})
	return b
}

// DecodePeer implements raft.Transport: the address alone, as raft's
// configuration has it.
func (*Transport) DecodePeer(b []byte) raft.ServerAddress {
	_, host, err := splitRaftAddress(raft.ServerAddress(b))
	if err != nil {
		return raft.ServerAddress(b)
	}
	return raft.ServerAddress(host)
}

// TimeoutNow implements raft.Transport. It gives up sooner than other requests,
// because raft refuses every entry while it is under way. If it arrives later,
// the other server stands for election, which it may do at any time.
func (t *Transport) TimeoutNow(id raft.ServerID, target raft.ServerAddress, args *raft.TimeoutNowRequest, resp *raft.TimeoutNowResponse) error {
	var answer raft.TimeoutNowResponse
	done := make(chan error, 1)
	go func() { done <- t.NetworkTransport.TimeoutNow(id, target, args, &answer) }()
	timer := time.NewTimer(t.handover)
	defer timer.Stop()
	select {
	case err := <-done:
		*resp = answer
		return err
	case <-timer.C:
		return errTransfer
	}
}

var errTransfer = errors.New("peer: the server did not answer when leadership was transferred to it")

// SetHeartbeatHandler does nothing, which is the point of this type.
func (*Transport) SetHeartbeatHandler(func(raft.RPC)) {}
