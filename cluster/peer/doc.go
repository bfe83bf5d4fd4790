// Package peer connects the nodes of a cluster through the peer port. A
// connection carries raft's own traffic or our calls; its first four bytes say
// which.
//
// # Parts
//
//   - [Mux] owns the listener. [Mux.RaftLayer] gives raft its connections and
//     [Mux.Serve] gives a [Handler] ours. A connection that stays silent
//     costs one goroutine until its preamble deadline and never delays
//     another one.
//   - [Transport] is raft's network transport without the concurrent
//     heartbeat path (hashicorp/raft#695) and without pipelining (#612).
//   - [Client] is one persistent connection to one address, shared by any
//     number of concurrent callers. [Pool] holds one Client an address.
//   - [Server] answers calls. A Handler gets opaque bytes and a reply
//     function; it runs on the connection's reader and must not block.
//
// # What a caller learns from an error
//
// Every call is answered exactly once, and an error says whether the peer may
// have acted on it:
//
//   - [*CallError], not sent (see [NotSent]): the peer's handler has not seen
//     the request and never will. Sending it again, here or elsewhere, is safe.
//   - [*CallError], sent: bytes of the request were handed to the kernel and no
//     answer came. The peer may have acted, may act later, or may never act.
//     Only a request that carries its own identity may be sent again.
//   - [*CodeError]: the handler answered with a code other than [CodeOK].
//
// The code decides what a caller does. What else an answer holds is up to package rpc.
//
// # Invariants
//
//   - An answer is delivered by whoever removes the call from its
//     connection's pending map, under the client's mutex, so exactly once.
//   - Request ids grow by one in queue order, and the writer takes a prefix of
//     the queue. A call at or above the writer's mark is still queued and may
//     be withdrawn. A call below the mark counts as sent.
//   - After a failed write only frames that start at or beyond the number of
//     bytes accepted by the connection are NotSent.
//   - Every buffer that a remote node can fill has a bound, and every write
//     a deadline.
//   - Every connection has a bound. One that has not said what it is, or
//     announces no member, may be displaced by another one. That of a member
//     never is.
//
// # Wire format, version 2
//
//	preamble:  0xCE 0xDC, version 2, protocol ('r' raft, 'c' calls); for raft: length u8 | id of the node it is meant for
//	request:   length u32 big endian | id uvarint | method u8 | timeout in ms uvarint, 0 = none | payload
//	response:  length u32 big endian | id uvarint | code u8 | payload
//
// A reserved method, 254, announces the caller's node id, which is its payload. It comes first, with id 0, and is not answered.
//
// The length counts what follows it. Varints are in their shortest form;
// anything else ends the connection. A timeout is relative because clocks of
// two nodes differ. Cluster id, node id and version belong into the calls
// themselves, but for the announcement. Raft's requests have no place for the node they are meant for,
// so the preamble names it. TLS decides who may connect at all.
//
// Only package cluster and its parts may import this package. It knows no
// ledger, no command and no membership.
package peer
