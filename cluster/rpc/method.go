package rpc

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/creditd/creditd/cluster/fault"
	"github.com/creditd/creditd/cluster/peer"
)

// Method is one request from node to node.
type Method[Q, A any] struct {
	Number byte   // on the wire; never reused
	Name   string // for logs and errors
	// OfCluster requests name the sender's cluster, and another cluster refuses them: its node may have taken over the address.
	OfCluster bool
	// OfMembers requests act for callers: a root key is named by its hash. So they are taken from nodes of raft's configuration only.
	OfMembers bool
	Request   Codec[Q]
	Answer    Codec[A]
}

// Client calls methods at other nodes.
type Client struct {
	pool      *peer.Pool
	clusterID func() string
}

// NewClient returns a client that uses the connections of pool. clusterID returns "" while this node's ledger has no id.
func NewClient(pool *peer.Pool, clusterID func() string) *Client {
	return &Client{pool: pool, clusterID: clusterID}
}

// Nowhere is the address of a node that has none: see peer.Nowhere.
const Nowhere = peer.Nowhere

// Call asks the node at an address and waits for its answer or for ctx. An error is
//   - what the node answered, as the *fault.Error that its handler returned;
//   - a *peer.CallError where there was no answer: peer.NotSent tells whether the node may have acted;
//   - fault.Unknown where the answer could not be read.
func (m *Method[Q, A]) Call(ctx context.Context, c *Client, addr string, request Q) (answer A, err error) {
	b := buffers.Get().(*buffer)
	if m.OfCluster {
		b.bytes = binary.BigEndian.AppendUint32(b.bytes, clusterTag(c.clusterID()))
	}
	b.bytes = m.Request.Append(b.bytes, request)
	data, err := c.pool.Get(addr).Call(ctx, m.Number, b.bytes)
	if err == nil { // after a failure the request may still be on its way
		b.release()
	}
	if err != nil {
		var code *peer.CodeError
		if errors.As(err, &code) {
			return answer, faultOf(m.Name, code)
		}
		return answer, err
	}
	if answer, err = m.Answer.Decode(data); err != nil {
		return answer, fault.Wrap(fault.Unknown, "The answer of another node could not be read", err)
	}
	return answer, nil
}

// clusterTag stands for a cluster's id at the beginning of a request.
func clusterTag(clusterID string) uint32 { return crc32.ChecksumIEEE([]byte(clusterID)) }

const tagSize = 4

// cutTag checks the tag of a request and returns what follows it.
func cutTag(payload []byte, clusterID string) ([]byte, bool) {
	if len(payload) < tagSize || clusterID == "" {
		return nil, false
	}
	return payload[tagSize:], binary.BigEndian.Uint32(payload) == clusterTag(clusterID)
}
